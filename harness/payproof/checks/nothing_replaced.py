from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.checks.replaced import find_replaced
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NothingReplaced"]


@check
@dataclass(frozen=True, slots=True)
class NothingReplaced(Check):
    """No row of the object that was there before has changed by an event that is none of the target's own.

    A row that is added is no fault: a target may keep what it hears of others, beside its own.
    """

    name: ClassVar[str] = "nothing_replaced"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which one has changed."""
        for change in seen.changes:
            for table in find_replaced(change):
                sent = next((x.sent.note for x in seen.exchanges if x.step == change.step), "")
                told = f"a row of table {table.table} has changed by {sent.partition(':')[0]}"
                spot = spot_of_column(change.source, table.table)
                expected = "one's own object stays as it is"
                what = f"a row has changed by an event {sent.partition(':')[0].rpartition('object, ')[2]}"
                kind = Kind.FOREIGN_APPLIED
                yield Finding(self.name, expected, told, change.step, what=what, kind=kind, spot=spot)
