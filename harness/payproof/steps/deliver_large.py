from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.malformed import make_malformed

__all__ = ["DeliverLarge"]


@step
@dataclass(frozen=True, slots=True)
class DeliverLarge(Step):
    """Deliver bodies of 50 MB one after another, and measure how much memory the target's processes take for them.

    The ``sender`` signs as ``stripe`` does, is a ``forger`` with a made-up signature, or is ``anybody`` without one. A
    target that ends the connection while a body is still being sent has refused it.
    """

    name: ClassVar[str] = "deliver_large"
    sender: Literal["stripe", "forger", "anybody"] = "anybody"
    times: int = 2

    def unfit(self, target: Target) -> Gap | None:
        """Return why the memory of a target cannot be measured."""
        return None if target.is_local else Gap("the target's processes are on another machine")

    async def run(self, context: Context) -> Sequence[Observation]:
        """Send them, and tell by how much memory has grown."""
        bodies: list[int] = []
        seen: list[Observation] = []
        event = context.events.make_control()
        body = make_malformed("large_50", event.encode())
        request = signed_request(context, event, body, note=f"50 MB by {self.sender}, made of {event.type}")
        if self.sender != "stripe":
            others = tuple((name, value) for name, value in request.headers if name != SIGNATURE_HEADER)
            forged = (SIGNATURE_HEADER, b"t=%d,v1=" % context.clock.now() + b"0" * 64)
            headers = others if self.sender == "anybody" else (*others, forged)
            request = replace(request, headers=headers, variant=self.sender)
        context.memory.begin()
        for _ in range(self.times):
            exchange = await context.send(request)
            bodies.append(len(body))
            if not exchange.was_cut_off:
                seen.append(exchange)
        return [*seen, context.memory.end(max(bodies))]
