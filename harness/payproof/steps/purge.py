from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["Purge"]


@step
@dataclass(frozen=True, slots=True)
class Purge(Step):
    """Run the target's own purge to its end."""

    name: ClassVar[str] = "purge"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Run it."""
        return [await context.retention.purge()]
