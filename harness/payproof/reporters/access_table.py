"""The table of a run: who may do which operation, as the target file promises it, and what came of asking."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from payproof.domain.access import Asking, Promise
from payproof.domain.access_decisions import is_done, tell_wrong_refusal
from payproof.domain.events import CaseFinished
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange
from payproof.domain.target import Contract
from payproof.reporters.phrasing import one_line

__all__ = ["AccessCell", "AccessTable", "build_access_table"]

_LEGEND = (
    "yes: done, and no: refused, as promised; DONE, NOT DONE, FAILED: otherwise;",
    "ODD: refused with another status than the contract says; ?: no answer; -: not tried",
)
_GRAVITY = ("yes", "no", "?", "FAILED", "ODD", "NOT DONE", "DONE")
_WRONG = {Kind.ACCESS_GRANTED: "DONE", Kind.ACCESS_MISTOLD: "ODD", Kind.SERVER_ERROR: "FAILED"}


@dataclass(slots=True)
class AccessCell:
    """What came of it when somebody asked for an operation: the gravest of all that was tried, with the statuses."""

    promise: Promise
    word: str = ""
    statuses: set[int] = field(default_factory=set)

    def note(self, word: str, status: int | None) -> None:
        """Take note of one more answer; the gravest counts."""
        self.statuses |= set() if status is None else {status}
        self.word = max(self.word or word, word, key=_GRAVITY.index)

    def __str__(self) -> str:
        told = f" {'/'.join(map(str, sorted(self.statuses)))}" if self.statuses else ""
        return f"{self.word}{told}"


@dataclass(frozen=True, slots=True)
class AccessTable:
    """The cells by operation and by who asks, in the order in which they were tried."""

    cells: dict[tuple[str, str], AccessCell]

    @property
    def operations(self) -> list[str]:
        """The operations, and routes that were read."""
        return list(dict.fromkeys(operation for operation, _ in self.cells))

    @property
    def actors(self) -> list[str]:
        """Those who asked, first those who may."""
        return list(dict.fromkeys(actor for _, actor in self.cells))

    @property
    def is_as_promised(self) -> bool:
        """Whether each cell is as the target file promises it."""
        return all(cell.word in {"yes", "no"} for cell in self.cells.values())

    def lines(self) -> Iterator[str]:
        """Yield a line for each of those who asked, with a column for each operation; then the same for routes."""
        routes = [one for one in self.operations if " " in one]
        for columns in filter(None, ([one for one in self.operations if " " not in one], routes)):
            asked = [one for one in self.actors if any((column, one) in self.cells for column in columns)]
            yield from self._write(asked, columns) if columns is not routes else self._write(columns, asked, turn=True)
            yield ""
        yield from _LEGEND

    def _write(self, rows: list[str], columns: list[str], *, turn: bool = False) -> Iterator[str]:
        """Yield the lines of a table; turned, its rows are operations."""
        cells = [
            [str(self.cells.get((row, column) if turn else (column, row), "-")) for column in columns] for row in rows
        ]
        whole = [["", *columns], *([row, *told] for row, told in zip(rows, cells, strict=True))]
        widths = [max(len(line[place]) for line in whole) for place in range(len(columns) + 1)]
        for line in whole:
            padded = (f"{text:<{width}}" for text, width in zip(line, widths, strict=True))
            yield one_line("  ".join(padded).rstrip())


def build_access_table(contract: Contract, cases: Iterable[CaseFinished]) -> AccessTable:
    """Return the table of what the cases of a run have tried."""
    cells: dict[tuple[str, str], AccessCell] = {}
    tried = [(exchange, exchange.sent.asking) for case in cases for exchange in _list_exchanges(case)]
    for exchange, asking in sorted(tried, key=lambda one: one[1] is None or one[1].promise != "allowed"):
        if asking is not None and exchange.sent.role != "nowhere":
            cell = cells.setdefault((asking.operation, asking.actor), AccessCell(asking.promise))
            cell.note(*_judge(contract, exchange, asking))
    return AccessTable(cells)


def _list_exchanges(case: CaseFinished) -> Iterator[Exchange]:
    for one in (*case.record.control, *case.record.observations):
        if isinstance(one, Exchange) and one.sent.asking is not None:
            yield one


def _judge(contract: Contract, exchange: Exchange, asking: Asking) -> tuple[str, int | None]:
    """Return the word of a cell for one answer, and its status."""
    answer = exchange.answer
    if not isinstance(answer, Answer):
        return "?", None
    if asking.promise == "allowed":
        return ("yes" if is_done(answer) else "NOT DONE"), answer.status
    wrong = tell_wrong_refusal(contract, exchange)
    return ("no" if wrong is None else _WRONG[wrong]), answer.status
