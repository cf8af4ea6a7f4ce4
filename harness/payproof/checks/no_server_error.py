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

__all__ = ["NoServerError"]

_SERVER_ERROR = 500
_NOT_IMPLEMENTED = frozenset({501, 505})


@check
@dataclass(frozen=True, slots=True)
class NoServerError(Check):
    """No input made the target fail: no answer has a status of 500 or above.

    501 and 505 are no failure: they refuse a method, a coding or a version of HTTP (RFC 9110, 15.6.2 and 15.6.6).
    """

    name: ClassVar[str] = "no_server_error"
    rule: ClassVar[str] = "error_handling/fuzz_routes"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each such answer."""
        for exchange in seen.exchanges:
            status = exchange.answer.status if isinstance(exchange.answer, Answer) else 0
            if status >= _SERVER_ERROR and status not in _NOT_IMPLEMENTED:
                told, evidence = f"status {status}", exchange.example
                yield Finding(
                    self.name,
                    "a status below 500",
                    told,
                    exchange.step,
                    evidence=evidence,
                    kind=Kind.SERVER_ERROR,
                    spot=spot_of_answer(exchange),
                )
