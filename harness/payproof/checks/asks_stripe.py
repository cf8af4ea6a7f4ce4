from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["AsksStripe"]


@check
@dataclass(frozen=True, slots=True)
class AsksStripe(Check):
    """The target called Stripe while it handled a delivery; else nothing follows from a fault of Stripe's.

    It never fails: a target that trusts what is signed needs no call. Then the case cannot be judged, and says so.
    """

    name: ClassVar[str] = "asks_stripe"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:  # noqa: ARG002 (it never fails)
        """Return nothing."""
        return iter(())

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Return that no call was made, or one that the double does not know."""
        calls = [call for one in seen.observations if isinstance(one, StripeCalls) for call in one.calls]
        if not calls:
            yield "the target makes no call to Stripe while it handles this delivery"
        unknown = next((call for call in calls if call.unknown), None)
        if unknown is not None:
            yield f"the double does not know {unknown.method} {unknown.path}"
