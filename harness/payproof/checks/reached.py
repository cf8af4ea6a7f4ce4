from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Reached"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class Reached(Check):
    """At least one request of the step was accepted: who asks may ask, and what is asked for is there."""

    name: ClassVar[str] = "reached"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step of which every request was refused."""
        for step in sorted({exchange.step for exchange in seen.exchanges}):
            answers = [one.answer for one in seen.exchanges if one.step == step]
            statuses = [answer.status for answer in answers if isinstance(answer, Answer)]
            if not any(status in _SUCCESS for status in statuses):
                told = ", ".join(map(str, sorted(set(statuses)))) or "no answers"
                expected, told = "at least one status of 200 to 299", f"of {len(answers)} only {told}"
                spot = Spot(Channel.HTTP, "requests as the OpenAPI document allows them")
                yield Finding(self.name, expected, told, step, kind=Kind.GENUINE_REFUSED, spot=spot)
