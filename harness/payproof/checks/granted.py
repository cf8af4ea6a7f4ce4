from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, EntitlementSeen
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Granted"]


@check
@dataclass(frozen=True, slots=True)
class Granted(Check):
    """Whoever's entitlement was looked at has what was paid for."""

    name: ClassVar[str] = "granted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.ENTITLEMENT})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each look that shows that it is not granted."""
        for one in seen.observations:
            if isinstance(one, EntitlementSeen) and not one.granted:
                told = f"{one.told}, {one.waited:.1f} s after the delivery"
                spot = Spot(Channel.ENTITLEMENT, f"entitlement {one.name}, {one.spot}")
                expected = f"entitlement {one.name} granted, as it was paid for"
                yield Finding(self.name, expected, told, one.step, kind=Kind.NOT_GRANTED, spot=spot)
