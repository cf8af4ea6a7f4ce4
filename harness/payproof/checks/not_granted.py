from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, EntitlementSeen
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["NotGranted"]


@check
@dataclass(frozen=True, slots=True)
class NotGranted(Check):
    """Whoever's entitlement was looked at has nothing of what nobody has paid for."""

    name: ClassVar[str] = "not_granted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.ENTITLEMENT})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each look that shows that it is granted."""
        for one in seen.observations:
            if isinstance(one, EntitlementSeen) and one.granted:
                sent = next((x.sent.note for x in reversed(seen.exchanges) if x.sent.variant == "valid"), "")
                after = f" after {sent.partition(':')[0]}" if sent else ""
                whom = "somebody else" if one.whose == "other" else "the subject"
                spot = Spot(Channel.ENTITLEMENT, f"entitlement {one.name}, {one.spot}")
                expected = f"entitlement {one.name} not granted to {whom}"
                yield Finding(self.name, expected, f"{one.told}{after}", one.step, kind=Kind.GRANTED_WRONGLY, spot=spot)
