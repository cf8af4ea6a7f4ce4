from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, Exchange, NoAnswer
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
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
                    yield self._find_slow(exchange, "no answer", limit)
            elif answer.seconds > limit:
                yield self._find_slow(exchange, f"{answer.seconds:.1f} s", limit)

    def _find_slow(self, exchange: Exchange, told: str, limit: float) -> Finding:
        expected, spot = f"an answer within {limit:g} s", spot_of_route(exchange)
        return Finding(self.name, expected, told, exchange.step, kind=Kind.SLOW, spot=spot)
