from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["CalledAtMost"]


@check
@dataclass(frozen=True, slots=True)
class CalledAtMost(Check):
    """The calls of the operations were no more than ``times`` for each of them: repetition has a bound."""

    name: ClassVar[str] = "called_at_most"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    times: int = 10

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when there were more."""
        most, arrived = self.times * len(seen.operations), len(seen.calls)
        if arrived > most:
            spot = spot_of_operations(seen)
            yield Finding(self.name, f"at most {most} calls", f"{arrived}", kind=Kind.CALLS_TOO_MANY, spot=spot)
