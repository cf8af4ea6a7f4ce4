from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Accepted"]


_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class Accepted(Check):
    """Every delivery was answered 2xx, which tells Stripe not to send it again."""

    name: ClassVar[str] = "accepted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other status."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer) and exchange.answer.status not in _SUCCESS:
                yield Finding(self.name, "a status of 200 to 299", f"status {exchange.answer.status}", exchange.step)
