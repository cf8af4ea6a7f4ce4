from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange, NoAnswer
from payproof.domain.step import Step
from payproof.errors import Reason
from payproof.registry import nearest, step
from payproof.steps.deliver import Deliver
from payproof.stripe.deliveries import signed_request
from payproof.stripe.malformed import MALFORMED, make_malformed

__all__ = ["DeliverMalformed"]

_LARGE = 1024 * 1024


@step
@dataclass(frozen=True, slots=True)
class DeliverMalformed(Step):
    """Deliver a body that is no event as Stripe sends it, under the right signature.

    ``kind`` names the body (``payproof.stripe.malformed``), which is made of an event of the type ``event``; without
    one, it is that of ``deliver``. A target that ends the connection while a large body is still being sent has refused
    it, and nothing more is to be read of that: what it answers to the next delivery tells whether it is still at work.
    """

    name: ClassVar[str] = "deliver_malformed"
    kind: str = "no_json"
    event: str = ""

    def __post_init__(self) -> None:
        """Refuse a kind that there is not, as soon as a scenario file is read."""
        if self.kind not in MALFORMED:
            raise ValueError(f"no malformed body {self.kind!r}; {nearest(self.kind, MALFORMED)}")

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, spoil it, sign it, send it."""
        type_ = self.event or Deliver().event
        event = context.events.make(type_, values={}, ids={})
        body = make_malformed(self.kind, event.encode())
        exchange = await context.send(signed_request(context, event, body, note=f"{self.kind}, made of {type_}"))
        return [] if len(body) > _LARGE and _was_cut_off(exchange) else [exchange]


def _was_cut_off(exchange: Exchange) -> bool:
    return isinstance(exchange.answer, NoAnswer) and exchange.answer.reason is Reason.UNREACHABLE
