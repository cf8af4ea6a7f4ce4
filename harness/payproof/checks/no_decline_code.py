import re
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

__all__ = ["NoDeclineCode"]


@check
@dataclass(frozen=True, slots=True)
class NoDeclineCode(Check):
    """No answer tells why a card was declined, by Stripe's word for it.

    Whoever tries out stolen cards would learn from it which of them are worth another try.
    """

    name: ClassVar[str] = "no_decline_code"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that holds the decline code of its fault."""
        for exchange in seen.operations:
            _, _, code = exchange.sent.variant.partition(".")
            answer = exchange.answer
            if not code or not isinstance(answer, Answer):
                continue
            text = "\n".join([*(f"{name}: {value}" for name, value in answer.headers), answer.body])
            if re.search(rf"(?<![a-z_]){re.escape(code)}(?![a-z_])", text, re.IGNORECASE):
                spot, expected = spot_of_answer(exchange), "no decline code in the answer"
                yield Finding(self.name, expected, code, exchange.step, kind=Kind.DECLINE_CODE, spot=spot)
