"""A rule and how it is tried out: the meaning of one scenario file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Severity
from payproof.domain.operation import KINDS, OPERATIONS
from payproof.domain.step import Step

__all__ = ["NEEDS", "Case", "Phase", "Requirement", "Scenario"]

#: What a target file may or may not offer, with the line for a reader where it is missing.
NEEDS: Mapping[str, str] = {
    "api_key": "the target file names no api_key_env",
    "breaker": "the target file says nothing of breaker_after in [contract.operations]",
    "double": "the backend of [upstream] is not the built-in double",
    "error_reference": "the target file says nothing of reference in [contract.operations]",
    "file": "the target file lists no files",
    "https_upstream": "the url of [upstream] in the target file is none by HTTPS",
    "log": "the target file lists no log",
    "openapi": "the target file names no openapi",
    "previous_secret": "the target file names no previous_secret_env",
    "publishable_key": "the target file names no publishable_key",
    "rejection_record": "the target file says nothing in [contract.rejection_record]",
    "retention": "the target file says nothing in [retention]",
    "retention_delivered": "the target file lists no rows in [retention] whose age is that of an event",
    "retention_recorded": "the target file lists no rows in [retention] whose age counts from an event's arrival",
    "retention_written": "the target file lists no rows in [retention] with values to write",
    "retired_secret": "the target file names no retired_secret_env",
    "store": "the target file lists no store",
    "store_outage": "the target file says nothing in [store_outage]",
    "upstream": "the target file has no [upstream]",
    **{name: f"the target file has no [operations.{name}]" for name in OPERATIONS},
    **{kind: f"the target file has none of [operations.{'|'.join(names)}]" for kind, names in KINDS.items()},
}


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
        """What must hold, each with the step that it is about."""
        return tuple(Expectation.of(check) for check in self.expect)


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of a rule, with an id and a verdict of its own.

    ``advised_for`` are the SDKs for whose users the rule is advice, because the SDK itself does not keep it.
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
    fail on it; ``passive`` scenarios change nothing in the target. ``place`` is the file that says all this.
    """

    id: str
    title: str
    severity: Severity
    requirements: tuple[Requirement, ...]
    control: Phase | None
    cases: tuple[Case, ...]
    defects: Mapping[str, str]
    passive: bool = False
    place: str = field(default="", compare=False)

    @property
    def topic(self) -> str:
        """The folder that the scenario stands in."""
        return self.id.partition("/")[0]
