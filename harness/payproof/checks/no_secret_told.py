from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, InstanceStarted
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["NoSecretTold"]


@check
@dataclass(frozen=True, slots=True)
class NoSecretTold(Check):
    """No line that an instance said when it started, or refused to, holds a secret, and no answer and no log does."""

    name: ClassVar[str] = "no_secret_told"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.PROCESS})
    reads: ClassVar[type | None] = InstanceStarted

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value that stands where it should not."""
        found = [(lines.step, f"log {lines.source}", one) for lines in seen.lines for one in lines.exposures]
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                found += [(exchange.step, "an answer", one) for one in exchange.answer.exposures]
        for step, place, one in found:
            told = f"{one.kind} ({one.label}) in {place}, {one.where}"
            yield Finding(self.name, "no sensitive value", told, step)
