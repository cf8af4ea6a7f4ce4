from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["Waited"]


@check
@dataclass(frozen=True, slots=True)
class Waited(Check):
    """Between the beginnings of one call and the next at least ``seconds`` passed."""

    name: ClassVar[str] = "waited"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    seconds: float = 1.0

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each call that came too soon."""
        for earlier, later in pairwise(seen.calls):
            passed = later.at - earlier.at
            if passed < self.seconds:
                expected, told = f"a wait of {self.seconds:g} s before the next call", f"{passed:.2f} s"
                spot = spot_of_operations(seen)
                yield Finding(self.name, expected, told, kind=Kind.RETRY_TOO_SOON, spot=spot)
