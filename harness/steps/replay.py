from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Context
from harness.domain.observation import Exchange
from harness.registry import step

__all__ = ["Replay"]


@step
@dataclass(frozen=True, slots=True)
class Replay:
    """Send the last request again, the same bytes, ``times`` times in a row."""

    name: ClassVar[str] = "replay"
    times: int = 1

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send it."""
        last = context.sent[-1]
        return [await context.send(last) for _ in range(self.times)]
