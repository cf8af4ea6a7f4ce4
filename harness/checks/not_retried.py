from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Channel
from harness.registry import check

__all__ = ["NotRetried"]


@check
@dataclass(frozen=True, slots=True)
class NotRetried:
    """Each operation made its call once: what Stripe has refused stays refused, and a card is not tried again."""

    name: ClassVar[str] = "not_retried"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    patient: ClassVar[bool] = False

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when there were more calls than operations."""
        asked, arrived = len(seen.operations), len(seen.calls)
        if arrived > asked:
            yield Finding(self.name, f"{asked} calls", f"{arrived}")
