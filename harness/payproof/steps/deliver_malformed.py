from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import nearest, step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.malformed import MALFORMED, make_malformed

__all__ = ["DeliverMalformed"]

_LARGE = 1024 * 1024


@step
@dataclass(frozen=True, slots=True)
class DeliverMalformed(Step):
    """Deliver bodies that are no event as Stripe sends it, each under the right signature.

    ``kinds`` name the bodies (``payproof.stripe.malformed``), which are made of the target's control event. A target
    that ends the connection while a large body is still being sent has refused it, and nothing more is to be read of
    that: what it answers to the next delivery tells whether it is still at work.
    """

    name: ClassVar[str] = "deliver_malformed"
    kinds: tuple[str, ...] = ("no_json",)

    def __post_init__(self) -> None:
        """Refuse a kind that there is not, as soon as a scenario file is read."""
        for kind in self.kinds:
            if kind not in MALFORMED:
                raise ValueError(f"no malformed body {kind!r}; {nearest(kind, MALFORMED)}")

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the events, spoil them, sign them, send them."""
        exchanges = list[Exchange]()
        for kind in self.kinds:
            event = context.events.make_control()
            body = make_malformed(kind, event.encode())
            request = signed_request(context, event, body, note=f"{kind}, made of {event.type}")
            exchange = await context.send(replace(request, variant=kind))
            if len(body) <= _LARGE or not exchange.was_cut_off:
                exchanges.append(exchange)
        return exchanges
