from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverAgain"]


@step
@dataclass(frozen=True, slots=True)
class DeliverAgain(Step):
    """Deliver what the last event has told once more, in an event of another id, as Stripe does now and then."""

    name: ClassVar[str] = "deliver_again"

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the second event and send it."""
        event = context.events.make_again()
        note = f"{event.type}, which tells the same of the same object as {context.sent[-1].ids[0]}"
        return [await context.send(signed_request(context, event, event.encode(), note=note))]
