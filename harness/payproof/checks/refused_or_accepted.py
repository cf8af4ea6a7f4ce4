from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_forgery
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["RefusedOrAccepted"]

_DECIDED = frozenset(range(200, 300)) | frozenset(range(400, 500))


@check
@dataclass(frozen=True, slots=True)
class RefusedOrAccepted(Check):
    """The target decided: 2xx, or any 4xx. For input where Stripe's rules leave the decision to the target."""

    name: ClassVar[str] = "refused_or_accepted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that is neither."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer) and exchange.answer.status not in _DECIDED:
                to = f" to {exchange.sent.variant}" if exchange.sent.variant else ""
                told = f"status {exchange.answer.status}{to}"
                yield finding_of_forgery(self.name, "a 2xx or 4xx status", told, exchange, Kind.UNDECIDED)
