"""What a person mends once: all findings that break the same rule, in the same spot, by the same kind of thing."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from payproof.domain.finding import Finding, Severity, Spot

__all__ = ["JudgedProblem", "Problem", "ProblemStatus", "Sighting"]

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding and the case that has seen it."""

    case: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Problem:
    """A cause that a person mends once, with all that was seen of it.

    ``rule`` is the scenario that it breaks, and ``requirements`` who asks for that. ``also`` are further kinds in the
    same spot, and further rules, that go with it. ``advised`` marks what a target should, not must, mend. ``reason`` is
    the contract's for another severity than usual. ``repeat`` is the command that runs the first case again.
    """

    rule: str
    kind: str
    spot: Spot
    severity: Severity
    title: str
    remedy: str
    sightings: tuple[Sighting, ...]
    requirements: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    advised: bool = False
    reason: str = ""
    repeat: str = ""

    @property
    def cases(self) -> tuple[str, ...]:
        """The ids of the cases that have seen it, each once; no case sees what is wrong with a waiver."""
        return tuple(dict.fromkeys(one.case for one in self.sightings if one.case))

    @property
    def fingerprint(self) -> str:
        """The same for the same problem in every run on every machine; letters only.

        Digits would be looked for card numbers in.
        """
        parts = (self.rule, self.spot.channel.value, self.spot.name, self.kind)
        return (
            blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest().translate(_LETTERS)
        )


class ProblemStatus(StrEnum):
    """What a problem means for the exit code: only a new one breaks the contract."""

    NEW = "new"
    KNOWN = "known"
    WAIVED = "waived"
    ADVISED = "advised"


@dataclass(frozen=True, slots=True)
class JudgedProblem:
    """A problem with its number in the report, its status, and the reason of its waiver."""

    number: int
    problem: Problem
    status: ProblemStatus
    why: str = ""
