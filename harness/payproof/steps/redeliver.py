from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request

__all__ = ["Redeliver"]


@step
@dataclass(frozen=True, slots=True)
class Redeliver(Step):
    """Deliver the last event once more under a signature of now, as Stripe does where it was not acknowledged."""

    name: ClassVar[str] = "redeliver"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Sign it anew and send it."""
        return [await context.send(resigned_request(context, context.sent[-1]))]
