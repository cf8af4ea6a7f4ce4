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
    """Let the target's store work again; with ``redeliver`` the last request is then sent again, as Stripe does.

    What the stores show after it has happened since the store was taken down.
    """

    name: ClassVar[str] = "bring_back"
    redeliver: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Bring it back."""
        await context.outage.end()
        return [await context.send(context.sent[-1])] if self.redeliver else ()
