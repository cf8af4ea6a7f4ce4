from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
from payproof.registry import check

__all__ = ["Unavailable"]


@check
@dataclass(frozen=True, slots=True)
class Unavailable(Check):
    """Every request was answered with a status that says, by the contract, that the target cannot keep anything now.

    To Stripe it means: deliver it again. A success would be a promise that nobody can keep.
    """

    name: ClassVar[str] = "unavailable"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other status."""
        right = seen.contract.without_store
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer) and exchange.answer.status not in right:
                expected = f"a status that says that nothing can be kept: {', '.join(map(str, sorted(right)))}"
                told, spot = f"status {exchange.answer.status}", spot_of_answer(exchange)
                yield Finding(self.name, expected, told, exchange.step, kind=Kind.FAILURE_MISTOLD, spot=spot)
