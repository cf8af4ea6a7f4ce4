from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["Answered"]


@check
@dataclass(frozen=True, slots=True)
class Answered(Check):
    """Each request got an answer, where the target is there: a server that catches a panic only closes the connection.

    A request whose connection was closed was sent twice by then, with a harmless one between that was answered.
    """

    name: ClassVar[str] = "answered"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each request whose connection was closed."""
        for exchange in seen.exchanges:
            if exchange.was_cut_off:
                to = f" to {exchange.sent.variant}" if exchange.sent.variant else ""
                told = f"the connection was closed, twice{to}"
                yield Finding(
                    self.name,
                    "an answer",
                    told,
                    exchange.step,
                    evidence=exchange.example,
                    kind=Kind.CUT_OFF,
                    spot=spot_of_route(exchange),
                )
