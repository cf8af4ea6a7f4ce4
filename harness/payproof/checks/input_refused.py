from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.access_decisions import is_done
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["InputRefused"]


@check
@dataclass(frozen=True, slots=True)
class InputRefused(Check):
    """No operation did what it was asked with a value that cannot be meant, such as a negative amount."""

    name: ClassVar[str] = "input_refused"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that says that it is done."""
        for exchange in seen.exchanges:
            if exchange.sent.variant and isinstance(exchange.answer, Answer) and is_done(exchange.answer):
                told, spot = f"status {exchange.answer.status} to {exchange.sent.variant}", spot_of_route(exchange)
                evidence = exchange.example
                yield Finding(
                    self.name,
                    "a refusal",
                    told,
                    exchange.step,
                    evidence=evidence,
                    kind=Kind.INVALID_ACCEPTED,
                    spot=spot,
                )
