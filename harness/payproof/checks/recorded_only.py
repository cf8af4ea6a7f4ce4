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

__all__ = ["RecordedOnly"]

_EVENT = "{evt}"


@check
@dataclass(frozen=True, slots=True)
class RecordedOnly(Check):
    """The last step's event has no effect: what a store shows of it is that it came, or what was there before.

    A row that holds the event's own id is a record of it. A row that an earlier step has left in the same words was
    written again, and says nothing new. Any other row is an effect.
    """

    name: ClassVar[str] = "recorded_only"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table with another row."""
        last = max((one.step for one in seen.changes), default=0)
        kind = Kind.APPLIED_TWICE if last else Kind.EFFECT_UNASKED
        earlier = {row for one in seen.changes if one.step < last for row in one.rows or ()}
        for change in seen.changes:
            if change.step != last:
                continue
            journals = {one.table for one in change.tables if one.rejection_log}
            for table in change.tables:
                rows = [one for one in change.rows or () if one.table == table.table and one.table not in journals]
                other = [one for one in rows if not _is_record(one)]
                grown = table.added > table.removed and bool(other)
                if grown or any(one not in earlier for one in other):
                    told, spot = table.describe(change.source), spot_of_column(change.source, table.table)
                    expected = "no effect: at most a record that the event came"
                    yield Finding(self.name, expected, told, last, kind=kind, spot=spot)

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that rows were too many to be told."""
        if any(one.rows is None for one in seen.changes):
            yield "the steps changed too many rows to compare them"


def _is_record(row: RowSeen) -> bool:
    return any(_EVENT in text for _, text in row.cells)
