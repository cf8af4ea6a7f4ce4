"""A broken expectation, with the place and the kind of what was seen, and evidence that shows nothing sensitive."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from payproof.domain.channel import Channel

__all__ = ["Confidence", "Finding", "Severity", "Spot"]


class Severity(StrEnum):
    """How much a broken rule costs; the scenario says it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @cached_property
    def rank(self) -> int:
        """Place in the order from low (0) to critical (3)."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How surely a detector knows what it saw."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CERTAIN = "certain"

    @cached_property
    def rank(self) -> int:
        """Place in the order from low (0) to certain (3)."""
        return list(Confidence).index(self)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a person mends what was found: a route and a sort of status, a column, a shape of log lines, a call.

    ``name`` holds no id, port, number or time, so that it is the same in every run on every machine.
    """

    channel: Channel
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation that did not hold: which check, what it expected, what was seen instead, at which step.

    ``what`` is what was seen in a few words, where ``seen`` tells much more. ``kind`` is its sort, in words that stay
    (see ``payproof.domain.kind``), and ``spot`` where a person mends it. ``rule`` is the scenario that the finding
    counts against, whichever case has seen it: that of the case, or the one that owns the check, or that of
    ``of_check`` where the finding is one for another check.
    """

    check: str
    expected: str
    seen: str
    step: int = 0
    confidence: Confidence = Confidence.CERTAIN
    evidence: tuple[str, ...] = ()
    what: str = ""
    kind: str = ""
    spot: Spot | None = None
    of_check: str = ""
    rule: str = ""
