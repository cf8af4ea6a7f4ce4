from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_change
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["NothingChanged"]


@check
@dataclass(frozen=True, slots=True)
class NothingChanged(Check):
    """No row of any store changed, except in tables that the contract names as rejection logs."""

    name: ClassVar[str] = "nothing_changed"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    decides: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table that changed."""
        for change in seen.changes:
            for table in change.tables:
                if not table.rejection_log:
                    yield finding_of_change(self.name, "no row changed", change, table, seen.exchanges)
