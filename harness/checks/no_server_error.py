from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Answer, Channel
from harness.registry import check

__all__ = ["NoServerError"]

_SERVER_ERROR = 500


@check
@dataclass(frozen=True, slots=True)
class NoServerError:
    """No input made the target fail: no answer has a status of 500 or above."""

    name: ClassVar[str] = "no_server_error"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    patient: ClassVar[bool] = False

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each such answer."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer) and exchange.answer.status >= _SERVER_ERROR:
                seen_status = f"status {exchange.answer.status}"
                yield Finding(self.name, "a status below 500", seen_status, exchange.step, evidence=exchange.example)
