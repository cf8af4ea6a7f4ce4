from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["SameDecision"]


@check
@dataclass(frozen=True, slots=True)
class SameDecision(Check):
    """The same bytes got the same status each time, so that luck or load does not decide what is genuine."""

    name: ClassVar[str] = "same_decision"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding where a later answer's status is not the first one's."""
        answers = [(one, one.answer.status) for one in seen.exchanges if isinstance(one.answer, Answer)]
        for exchange, status in answers[1:]:
            if status != answers[0][1]:
                expected, told, spot = f"status {answers[0][1]} again", f"status {status}", spot_of_route(exchange)
                yield Finding(self.name, expected, told, exchange.step, kind=Kind.DECISION_CHANGED, spot=spot)
