"""Bounds how long a search may take."""

from collections.abc import Iterator
from math import inf
from time import monotonic

from payproof.domain.tables import Cell, Table, Tables
from payproof.errors import InconclusiveError, Reason, record_fault

__all__ = ["Deadline", "TimeIsOverError", "TimedRows"]

_MOST_NAMED = 5


class TimeIsOverError(BaseException):
    """A search has taken as long as it may; like an interrupt it is nothing that a decoder or a driver could raise."""


class Deadline:
    """The end of a search's time, from now on in seconds."""

    def __init__(self, seconds: float) -> None:
        self.broken_off = False
        self._seconds = seconds
        self._until = monotonic() + seconds

    def __str__(self) -> str:
        return f"within {self._seconds:g} s (search_seconds of [budget])"

    def end(self) -> None:
        """Let it come now: something hangs, or nobody waits any longer."""
        self.broken_off = True
        self._until = -inf

    def over(self) -> bool:
        """Return whether it has come."""
        return monotonic() > self._until

    def check(self) -> None:
        """Go on while there is time.

        Raises:
            TimeIsOverError: there is none left.
        """
        if self.over():
            raise TimeIsOverError


class TimedRows:
    """The values of a table as far as time allows and they can be read; what was read by then is still searched.

    ``read`` counts the rows so far, ``cut`` says whether the time was over, ``error`` what else ended them early.
    """

    def __init__(self, tables: Tables, table: Table, until: Deadline) -> None:
        self.read = 0
        self.cut = False
        self.error: InconclusiveError | None = None
        self._tables, self._table, self._until = tables, table, until

    def __iter__(self) -> Iterator[Cell]:
        last = None
        if self._until.over():
            self.cut = True
            return
        try:
            for cell in self._tables.rows(self._table.name):
                if cell[0] != last:
                    last = cell[0]
                    self.read += 1
                yield cell
                if self._until.over():
                    self.cut = True
                    return
        except InconclusiveError as error:
            if self._until.over():
                self.cut = True  # the statement was broken off
            else:
                self.error = error
        except Exception as error:  # noqa: BLE001 (whatever a driver raises; what was read until then is searched)
            detail = f"table {self._table.name}: {record_fault(error)}"
            self.error = InconclusiveError(Reason.HARNESS_FAULT, detail)

    def describe_rest(self, others: list[Table]) -> str:
        """Return what was not read, of this table and of those after it."""
        of = f" of about {self._table.rows:,}" if self._table.rows else ""
        text = f"of table {self._table.name} only {self.read:,}{of} rows were read {self._until}"
        named = [one.name for one in others[:_MOST_NAMED]]
        more = f" and {len(others) - len(named)} more" if len(others) > len(named) else ""
        return f"{text}, and nothing of {', '.join(named)}{more}" if named else text
