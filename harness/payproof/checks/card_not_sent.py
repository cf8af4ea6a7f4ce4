from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_call
from payproof.registry import check

__all__ = ["CardNotSent"]

_CARD = frozenset({"card number", "track data"})
_NAMES = ("[cvc]", "[number]")


@check
@dataclass(frozen=True, slots=True)
class CardNotSent(Check):
    """No card number and no CVC went on to Stripe: they are the browser's to send, and no server's."""

    name: ClassVar[str] = "card_not_sent"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each call with such a value."""
        for one in seen.observations:
            for call in one.calls if isinstance(one, StripeCalls) else ():
                held = {exposure.label for exposure in call.exposures if exposure.kind in _CARD}
                held |= {name for name, _ in call.parameters if name.endswith(_NAMES) or name == "cvc"}
                if held:
                    told = f"{call.method} {call.path} with {', '.join(sorted(held))}"
                    spot = spot_of_call(f"{call.method} {call.path}")
                    yield Finding(self.name, "no card data to Stripe", told, one.step, kind=Kind.CARD_DATA, spot=spot)
