from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["ReadSchema"]


@step
@dataclass(frozen=True, slots=True)
class ReadSchema(Step):
    """Read the name and type of every column of every store."""

    name: ClassVar[str] = "read_schema"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Read them."""
        return await context.at_rest.read_columns()
