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

__all__ = ["CardRefused"]


@check
@dataclass(frozen=True, slots=True)
class CardRefused(Check):
    """No request that holds card data was done: whoever sends some learns that it must not come here."""

    name: ClassVar[str] = "card_refused"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each that was."""
        for exchange in seen.exchanges:
            if exchange.sent.variant and isinstance(exchange.answer, Answer) and is_done(exchange.answer):
                told, spot = f"status {exchange.answer.status} to {exchange.sent.variant}", spot_of_route(exchange)
                yield Finding(self.name, "a refusal", told, exchange.step, kind=Kind.CARD_ACCEPTED, spot=spot)
