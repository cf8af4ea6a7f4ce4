from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import ALL_ANSWERS
from payproof.registry import check

__all__ = ["NotTraced"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class NotTraced(Check):
    """TRACE did not send the request back: its headers may hold a cookie, a token, or what a proxy has added."""

    name: ClassVar[str] = "not_traced"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for an answer that holds a header of the request."""
        for exchange in seen.exchanges:
            answer = exchange.answer
            is_trace = exchange.sent.method == "TRACE" and isinstance(answer, Answer)
            if is_trace and isinstance(answer, Answer) and answer.echoes and answer.status in _SUCCESS:
                told = f"status {answer.status}, with a header of the request in the body"
                kind = Kind.REQUEST_TRACED
                yield Finding(self.name, "TRACE refused", told, exchange.step, kind=kind, spot=ALL_ANSWERS)
