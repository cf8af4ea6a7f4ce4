from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_forgery
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Rejected"]


@check
@dataclass(frozen=True, slots=True)
class Rejected(Check):
    """Every delivery was answered with a status that the contract lists as rejection, never 2xx and never 5xx."""

    name: ClassVar[str] = "rejected"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    decides: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other status."""
        statuses = seen.contract.rejected
        expected = "rejection with status " + " or ".join(map(str, sorted(statuses)))
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer) and exchange.answer.status not in statuses:
                yield finding_of_forgery(self.name, expected, f"status {exchange.answer.status}", exchange)
