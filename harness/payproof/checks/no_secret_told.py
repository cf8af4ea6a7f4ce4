from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.exposures import finding_of_exposure, spot_of_exposed_line
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, InstanceStarted
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
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
        for lines in seen.lines:
            for one in lines.exposures:
                spot = spot_of_exposed_line(lines, one)
                yield finding_of_exposure(self.name, one, f"log {lines.source}", lines.step, spot)
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                for one in exchange.answer.exposures:
                    spot = spot_of_answer(exchange)
                    yield finding_of_exposure(self.name, one, "an answer", exchange.step, spot)
