from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Channel, Observation
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["Search"]


@step
@dataclass(frozen=True, slots=True)
class Search(Step):
    """Search all stores, logs or files that the target file lists, from beginning to end.

    ``wanted`` is this phase's canaries, in every encoding and as digests, or what looks like payment data or a secret.
    """

    name: ClassVar[str] = "search"
    places: tuple[Literal["stores", "logs", "files"], ...] = ("stores",)
    wanted: Literal["canaries", "patterns"] = "canaries"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Search."""
        channels = {"stores": Channel.STORE, "logs": Channel.LOG, "files": Channel.FILE}
        return await context.at_rest.search(
            [channels[place] for place in self.places], patterns=self.wanted == "patterns"
        )
