from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["AnsweredWithin"]


@check
@dataclass(frozen=True, slots=True)
class AnsweredWithin(Check):
    """Each operation was answered within ``seconds``."""

    name: ClassVar[str] = "answered_within"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    seconds: float = 1.0

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that took longer."""
        for exchange in seen.operations:
            if exchange.answer.seconds > self.seconds:
                expected, told = f"an answer within {self.seconds:g} s", f"{exchange.answer.seconds:.1f} s"
                spot = spot_of_route(exchange)
                yield Finding(self.name, expected, told, exchange.step, kind=Kind.SLOW, spot=spot)
