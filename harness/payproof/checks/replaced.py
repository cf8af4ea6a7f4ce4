import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel, RowSeen, StoreChange, TableChange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["Replaced", "find_replaced"]

_ID = re.compile(r"\{[a-z_]+\}")  # as rows show the ids that were sent
_OF_THE_DELIVERY = frozenset({"{evt}", "{req}", "{time}", "{id}"})


def find_replaced(change: StoreChange) -> Iterator[TableChange]:
    """Yield the tables in which a row of the object that was delivered took the place of another.

    What each delivery changes, such as the time of the last one, holds none of the object's ids.
    """
    for table in change.tables:
        if table.removed and table.added and not table.rejection_log:
            rows = change.rows
            if rows is None or any(_is_about_object(row) for row in rows if row.table == table.table):
                yield table


def _is_about_object(row: RowSeen) -> bool:
    return any(_ID.fullmatch(text) and text not in _OF_THE_DELIVERY for _, text in row.cells)


@check
@dataclass(frozen=True, slots=True)
class Replaced(Check):
    """The delivery has changed a row of its object that was there before: the target keeps the state of the object."""

    name: ClassVar[str] = "replaced"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding where no such row has changed."""
        if seen.changes and not any(True for change in seen.changes for _ in find_replaced(change)):
            looked = ", ".join(sorted({change.source for change in seen.changes}))
            expected = "a row of the object that is there changes with its state"
            told = f"no such row of {looked} has changed"
            yield Finding(self.name, expected, told, spot=spot_of_column(looked))
