"""What rows say after each event of an object's life, so that an older state is known when it is seen again."""

import re
from collections.abc import Iterable, Mapping, Sequence

from payproof.domain.observation import RowSeen

__all__ = ["LifeModel", "counts_writes", "read_columns"]

#: The values that each column of a table has, sorted: one for each row.
Columns = Mapping[tuple[str, str], tuple[str, ...]]

#: What optimistic locking calls its columns (Rails, JPA, .NET): they count writes, and an older event that changes
#: nothing is no write.
_COUNTS_WRITES = re.compile(r"(lock_?|row_?)?(version|revision)", re.IGNORECASE)


def counts_writes(column: str, states: Iterable[tuple[str, ...]]) -> bool:
    """Whether a column counts the writes of its row, by its name and the values that it has in some states."""
    return bool(_COUNTS_WRITES.fullmatch(column)) and all(text.isdecimal() for values in states for text in values)


def read_columns(rows: Iterable[RowSeen]) -> Columns:
    """Return the values of each column in some rows."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for column, text in row.cells:
            found.setdefault((row.table, column), []).append(text)
    return {place: tuple(sorted(values)) for place, values in found.items()}


class LifeModel:
    """The states of two lives that were told in Stripe's order; what differs between the two differs by chance.

    A column tells the state where it is not the same after each event, and its table does not grow with the events:
    one that does is a journal of them. One that counts the writes of its row tells none.
    """

    def __init__(self, first: Sequence[Columns], second: Sequence[Columns]) -> None:
        places = {place for columns in (*first, *second) for place in columns}
        self.states: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}
        for place in sorted(places):
            values = tuple(columns.get(place, ()) for columns in first)
            same = values == tuple(columns.get(place, ()) for columns in second)
            grows = len(values[-1]) > min(map(len, filter(None, values)), default=0)
            if same and not grows and len({*values}) > 1 and not counts_writes(place[1], values):
                self.states[place] = values

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell the state."""
        return tuple(f"{table}.{column}" for table, column in self.states)

    def find_stale(self, newest: int, seen: Columns) -> dict[tuple[str, str], str]:
        """Return each column that shows an older state than that of an event, by its number from 1, with words for it.

        A later state is none, as a target may ask Stripe.
        """
        told = {}
        for place, states in self.states.items():
            values, right = seen.get(place, ()), states[newest - 1]
            if values not in states[newest - 1 :] and values in states[: newest - 1]:
                told[place] = f"{'.'.join(place)} is {_name(values)}, not {_name(right)}"
        return told


def _name(values: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(values)) or "gone"
