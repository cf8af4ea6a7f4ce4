from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["Count"]


@step
@dataclass(frozen=True, slots=True)
class Count(Step):
    """Count by column, in every store, what an earlier step has had watched."""

    name: ClassVar[str] = "count"
    moment: Literal["after", "purged"] = "after"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Count."""
        return await context.at_rest.count(self.moment)
