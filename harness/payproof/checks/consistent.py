from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_change
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Consistent"]

_REFUSED = range(400, 500)


@check
@dataclass(frozen=True, slots=True)
class Consistent(Check):
    """A step whose every delivery was refused with a 4xx status changed no store: "no" means no."""

    name: ClassVar[str] = "consistent"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.STORE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each change by a refused step."""
        accepted = {
            exchange.step
            for exchange in seen.exchanges
            if not (isinstance(exchange.answer, Answer) and exchange.answer.status in _REFUSED)
        }
        for change in seen.changes:
            for table in change.tables:
                if change.step not in accepted and not table.rejection_log:
                    expected = "no row changed, as the delivery was refused"
                    yield finding_of_change(self.name, expected, change, table, seen.exchanges)
