from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel, NoAnswer
from payproof.domain.seen import Seen
from payproof.errors import Reason
from payproof.registry import check

__all__ = ["InTime"]


@check
@dataclass(frozen=True, slots=True)
class InTime(Check):
    """Everything was answered in time: deliveries within the contract's ``answer_within``, operations within theirs."""

    name: ClassVar[str] = "in_time"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each slow answer and each that did not come in time."""
        contract = seen.contract
        for exchange in seen.exchanges:
            limit = contract.operations.answer_within if exchange.sent.calls else contract.answer_within
            answer = exchange.answer
            if isinstance(answer, NoAnswer):
                if answer.reason is Reason.TIMEOUT:
                    yield Finding(self.name, f"an answer within {limit:g} s", "no answer", exchange.step)
            elif answer.seconds > limit:
                yield Finding(self.name, f"an answer within {limit:g} s", f"{answer.seconds:.1f} s", exchange.step)
