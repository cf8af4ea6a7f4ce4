"""A broken expectation, with evidence that shows nothing sensitive."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

__all__ = ["Confidence", "Finding", "Severity"]


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
class Finding:
    """One expectation that did not hold: which check, what it expected, what was seen instead, at which step."""

    check: str
    expected: str
    seen: str
    step: int = 0
    confidence: Confidence = Confidence.CERTAIN
    evidence: tuple[str, ...] = ()
