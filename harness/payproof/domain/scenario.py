"""A rule and how it is tried out: the meaning of one scenario file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Severity
from payproof.domain.step import Step

__all__ = ["EVERYONE", "Case", "Phase", "Requirement", "Scenario"]

#: In place of SDKs: a rule that a target should keep, and need not.
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Requirement:
    """The sentence that asks for the rule, and where it stands."""

    id: str
    says: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps and what must hold after them."""

    steps: tuple[Step, ...]
    expect: tuple[Check | Expectation, ...]

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """The checks that must hold, each with the step that it is about."""
        return tuple(Expectation.of(check) for check in self.expect)


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of a rule, with an id and a verdict of its own.

    ``advised_for`` are the SDKs for whose users the rule is advice, because the SDK itself does not keep it, or
    ``EVERYONE``.
    """

    id: str
    name: str
    phase: Phase
    needs: tuple[str, ...] = ()
    advised_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One rule: its control, its cases, who asks for it, and the planted defects that must trip it.

    ``control`` is None where each case is a positive itself. ``defects`` maps a defect's name to the check that must
    fail on it; ``passive`` scenarios change nothing in the target. ``follows_from`` are scenarios that say more: where
    one of them is broken in the same way and place, this one is for the same cause. ``remedy`` says how a breach is
    mended, where the usual words do not. ``place`` is the file that says all this.
    """

    id: str
    title: str
    severity: Severity
    requirements: tuple[Requirement, ...]
    control: Phase | None
    cases: tuple[Case, ...]
    defects: Mapping[str, str]
    passive: bool = False
    follows_from: tuple[str, ...] = ()
    remedy: str = ""
    place: str = field(default="", compare=False)

    @property
    def topic(self) -> str:
        """The folder that the scenario stands in."""
        return self.id.partition("/")[0]
