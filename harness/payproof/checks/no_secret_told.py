from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import name_kind
from payproof.domain.observation import Answer, Channel, InstanceStarted
from payproof.domain.seen import Seen
from payproof.domain.sensitive import Exposure
from payproof.domain.spots import spot_of_answer, spot_of_line
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
                spot = spot_of_line(lines.source, "" if one.line is None else lines.lines[one.line])
                yield self._find(lines.step, f"log {lines.source}", one, spot)
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                for one in exchange.answer.exposures:
                    yield self._find(exchange.step, "an answer", one, spot_of_answer(exchange))

    def _find(self, step: int, place: str, one: Exposure, spot: Spot) -> Finding:
        told = f"{one.kind} ({one.label}) in {place}, {one.where}"
        return Finding(
            self.name, "no sensitive value", told, step, what=one.kind, kind=name_kind(one.kind, one.label), spot=spot
        )
