import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, RowSeen
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["OwnRowsOnly"]

_OWN = re.compile(r"\{(?!time\}|id\}|text )[a-z_]+\}")


@check
@dataclass(frozen=True, slots=True)
class OwnRowsOnly(Check):
    """The last step's event changes no row that is about somebody else.

    The steps before show in which tables such an event changes rows. A row of these that the last step has changed
    holds one of its ids, or it is another's.
    """

    name: ClassVar[str] = "own_rows_only"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table with a row of somebody else's."""
        last = max((one.step for one in seen.changes), default=0)
        state = {
            (change.source, row.table)
            for change in seen.changes
            if change.step < last
            for row in change.rows or ()
            if _is_own(row)
        }
        for change in seen.changes:
            for table in change.tables:
                place = (change.source, table.table)
                foreign = [one for one in change.rows or () if one.table == table.table and not _is_own(one)]
                if change.step == last and place in state and table.removed and foreign:
                    told = f"{table.describe(change.source)}, {len(foreign)} of them without an id of the event"
                    yield Finding(
                        self.name,
                        "no row of anybody else changed",
                        told,
                        last,
                        kind=Kind.FOREIGN_ROW,
                        spot=spot_of_column(*place),
                    )

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that rows were too many to be told, or that no event before has changed any."""
        if any(one.rows is None for one in seen.changes):
            yield "the steps changed too many rows to compare them"


def _is_own(row: RowSeen) -> bool:
    return any(_OWN.search(text) for _, text in row.cells)
