from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Channel
from harness.registry import check

__all__ = ["Called"]


@check
@dataclass(frozen=True, slots=True)
class Called:
    """Every operation made the call to Stripe that the target file says it causes."""

    name: ClassVar[str] = "called"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step in which fewer calls arrived than operations were asked for."""
        for step in sorted({exchange.step for exchange in seen.operations}):
            mine = seen.at(step)
            asked, arrived = len(mine.operations), len(mine.calls)
            if arrived < asked:
                wanted = " or ".join(sorted({exchange.sent.calls for exchange in mine.operations}))
                yield Finding(self.name, f"{asked} calls of {wanted}", f"{arrived}", step)
