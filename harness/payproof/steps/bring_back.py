from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["BringBack"]


@step
@dataclass(frozen=True, slots=True)
class BringBack(Step):
    """Let the target's store work again; with ``redeliver`` the last event is then delivered again, as Stripe does.

    It is not where the target has accepted it meanwhile: Stripe would never deliver it again. What the stores show
    after it has happened since the store was taken down.
    """

    name: ClassVar[str] = "bring_back"
    redeliver: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Bring it back."""
        await context.outage.end()
        if not self.redeliver or context.sent[-1].ids[0] in context.accepted:
            return ()
        return [await context.send(context.sent[-1])]
