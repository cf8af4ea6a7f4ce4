from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, OrdersExplored
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NewestInAnyOrder"]


@check
@dataclass(frozen=True, slots=True)
class NewestInAnyOrder(Check):
    """Once every event up to one has come, in whatever order and however often, the rows say what that one tells."""

    name: ClassVar[str] = "newest_in_any_order"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type | None] = OrdersExplored

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for the smallest order after which an older state was there."""
        for one in _explored(seen):
            if one.commands:
                told = f"{one.stale} after: {' && '.join(one.commands)}"
                expected = "the state of the newest event, in any order"
                yield Finding(
                    self.name,
                    expected,
                    told,
                    one.step,
                    what=one.stale,
                    kind=Kind.STALE_STATE,
                    spot=spot_of_column("", one.table),
                )

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return why states could not be told apart."""
        return [one.unjudged for one in _explored(seen) if one.unjudged]

    def note(self, seen: Seen) -> str:
        """Tell how much was tried, and by which columns."""
        return "; ".join(f"{one.orders} orders, by {', '.join(one.columns)}" for one in _explored(seen))


def _explored(seen: Seen) -> list[OrdersExplored]:
    return [one for one in seen.observations if isinstance(one, OrdersExplored)]
