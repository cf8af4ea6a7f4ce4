from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import BurstSeen, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["AllAccepted"]


@check
@dataclass(frozen=True, slots=True)
class AllAccepted(Check):
    """Every event of a burst was accepted in the end, though some have come again for that."""

    name: ClassVar[str] = "all_accepted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each burst of which events are left."""
        for one in seen.observations:
            if isinstance(one, BurstSeen) and one.accepted < one.events:
                told = f"{one.events - one.accepted:,} were not, and were delivered four times"
                refused = [exchange for exchange in seen.exchanges if exchange.step == one.step]
                spot = spot_of_route(refused[0]) if refused else None
                expected = f"that each of {one.events:,} events is accepted"
                yield Finding(self.name, expected, told, one.step, kind=Kind.GENUINE_FAILED, spot=spot)
