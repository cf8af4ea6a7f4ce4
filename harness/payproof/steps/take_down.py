from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["TakeDown"]


@step
@dataclass(frozen=True, slots=True)
class TakeDown(Step):
    """Let the target's store refuse, as the target file tells how; until it is back no store is looked into."""

    name: ClassVar[str] = "take_down"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Take it down."""
        await context.outage.begin()
        return ()
