from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
from payproof.registry import check

__all__ = ["AnswersAs"]


@check
@dataclass(frozen=True, slots=True)
class AnswersAs(Check):
    """Each operation was answered with a status that the contract has for what went wrong.

    That it is done later (``pending``) is an answer to an outage as well.
    """

    name: ClassVar[str] = "answers_as"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    category: Literal["declined", "refused", "misconfigured", "unavailable"] = "unavailable"

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other status."""
        contract = seen.contract.operations
        right: frozenset[int] = getattr(contract, self.category)
        if self.category == "unavailable":
            right |= contract.pending
        for exchange in seen.operations:
            if isinstance(exchange.answer, Answer) and exchange.answer.status not in right:
                expected = f"a status that says {self.category}: {', '.join(map(str, sorted(right)))}"
                told = f"status {exchange.answer.status} to {exchange.sent.variant}"
                spot = spot_of_answer(exchange)
                yield Finding(self.name, expected, told, exchange.step, kind=Kind.FAILURE_MISTOLD, spot=spot)
