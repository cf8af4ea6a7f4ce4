"""The outcome of one case: one of four types, never a boolean."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from payproof.domain.finding import Finding
from payproof.errors import Reason

__all__ = ["Errored", "ExitCode", "Failed", "Passed", "Skipped", "Verdict", "name_verdict"]


class ExitCode(IntEnum):
    """How a run ended, the same for the command and for pytest."""

    HELD = 0
    BROKEN = 1
    INTERRUPTED = 2
    UNKNOWN = 3
    USAGE = 4
    NOTHING_RAN = 5


@dataclass(frozen=True, slots=True)
class Passed:
    """Every expectation was looked at and held.

    ``waived`` names what the target's owner took out with a reason; ``notes`` are measurements for information.
    """

    held: tuple[str, ...]
    waived: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    kind: Literal["passed"] = "passed"


@dataclass(frozen=True, slots=True)
class Failed:
    """At least one expectation did not hold. ``advised`` marks a rule that this target should, not must, keep."""

    findings: tuple[Finding, ...]
    advised: bool = False
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class Errored:
    """Nothing can be said, and why."""

    reason: Reason
    detail: str
    kind: Literal["errored"] = "errored"


@dataclass(frozen=True, slots=True)
class Skipped:
    """The case was not run, and why; ``wants`` are the tables or keys of the target file that would let it be."""

    why: str
    wants: tuple[str, ...] = ()
    kind: Literal["skipped"] = "skipped"


Verdict = Passed | Failed | Errored | Skipped


def name_verdict(verdict: Verdict) -> str:
    """Return the name that a run counts a verdict by: broken advice is told apart from broken rules."""
    return "advised" if isinstance(verdict, Failed) and verdict.advised else verdict.kind
