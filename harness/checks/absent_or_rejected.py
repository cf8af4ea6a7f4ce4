from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Answer, Channel
from harness.registry import check

__all__ = ["AbsentOrRejected"]

_ABSENT = frozenset({404, 405, 410})


@check
@dataclass(frozen=True, slots=True)
class AbsentOrRejected:
    """The last answer says that there is no such route, or rejects the delivery as the webhook route does."""

    name: ClassVar[str] = "absent_or_rejected"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    patient: ClassVar[bool] = False

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when the last answer, after redirects, is another."""
        statuses = _ABSENT | seen.contract.rejected
        last = seen.exchanges[-1]
        if isinstance(last.answer, Answer) and last.answer.status not in statuses:
            expected = "no such route (404, 405, 410) or a rejection"
            yield Finding(self.name, expected, f"status {last.answer.status} at {last.sent.url}", last.step)
