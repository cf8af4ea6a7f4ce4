from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["Recover"]


@step
@dataclass(frozen=True, slots=True)
class Recover(Step):
    """Let Stripe work again; with ``rest``, wait as long as the target's breaker, if it has one, leaves it alone."""

    name: ClassVar[str] = "recover"
    rest: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Lift every fault."""
        context.stripe.arm()
        promised = context.target.contract.operations
        if self.rest and promised.breaker_after is not None:
            await context.clock.sleep(promised.breaker_rest)
        return ()
