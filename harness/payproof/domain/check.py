"""The family of checks: what must hold after the steps of a phase.

A scenario lists checks under ``expect``. A check gets all that a phase has shown, and what the target promises. It
returns a finding for each thing that does not hold; without findings it holds. A check is pure: it does no I/O, reads
no clock and keeps nothing, so that a recorded run can be judged again.

A check does not decide on the verdict. It says what it must have seen (``channels``, ``reads``), and the judge makes an
unknown of a case in which that is missing. ``Expectation`` is a check in a scenario, with the step that it is about.

A check is a frozen dataclass in ``payproof/checks/<name>.py``. Its fields are its parameters, and each has a default.
``@check`` of ``payproof.registry`` registers it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.finding import Finding
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen

__all__ = ["Check", "Expectation"]


class Check(ABC):
    """One expectation; a frozen dataclass whose fields are its parameters."""

    __slots__ = ()

    #: The name in scenario files, which is also that of the check's file.
    name: ClassVar[str]
    #: The channels of which the check must have seen something; one that is waived is left out.
    channels: ClassVar[frozenset[Channel]] = frozenset()
    #: The sort of observation that the check must have seen, if any will not do.
    reads: ClassVar[type | None] = None
    #: Whether the check may come to hold by waiting, as the effects of a target may be late.
    patient: ClassVar[bool] = False
    #: Whether the check needs whole bodies: where one was cut, it does not count as held.
    reads_bodies: ClassVar[bool] = False
    #: Whether the check shows by itself that the right place was looked at, and needs no control and no marker.
    own_control: ClassVar[bool] = False
    #: Whether the check is waited for after the last step only, and as long as operations may take to complete.
    at_end: ClassVar[bool] = False

    #: The scenario that owns the check: its findings count against that, whichever case has seen them. Without one they
    #: count against the case's own.
    rule: ClassVar[str] = ""
    #: Whether the check looks at whatever passes: it then runs beside every rule.
    watches: ClassVar[bool] = False

    #: Whether the check fails only where a delivery is accepted that should not be: advice, where an SDK does so.
    decides: ClassVar[bool] = False
    #: The tables or keys of a target file by which the check could judge what it could not.
    wants: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def judge(self, seen: Seen) -> Iterable[Finding]:
        """Return a finding for each thing that does not hold."""

    def find_unjudged(self, seen: Seen) -> Iterable[str]:  # noqa: ARG002 (for those that override it)
        """Return what the check could not judge; with anything, its case does not pass."""
        return ()

    def note(self, seen: Seen) -> str:  # noqa: ARG002 (for those that override it)
        """Return what a reader should know though nothing is wrong, such as how much was searched."""
        return ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A check and the step that it judges, as if that step were the first; without a step it judges all of them.

    Whoever judges asks the expectation, and so sees the same of a check of one step and of a check of all steps.
    """

    check: Check
    step: int | None = None

    @classmethod
    def of(cls, check: "Check | Expectation") -> "Expectation":
        """Return a check as one of all steps, unless it has its step."""
        return cls(check) if isinstance(check, Check) else check

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.name

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels of which the check must have seen something."""
        return self.check.channels

    @property
    def patient(self) -> bool:
        """Whether the check may come to hold by waiting."""
        return self.check.patient

    @property
    def reads(self) -> type | None:
        """The sort of observation that the check must have seen."""
        return self.check.reads

    @property
    def own_control(self) -> bool:
        """Whether the check needs no control."""
        return self.check.own_control

    @property
    def reads_bodies(self) -> bool:
        """Whether the check needs whole bodies."""
        return self.check.reads_bodies

    @property
    def at_end(self) -> bool:
        """Whether the check is waited for after the last step only, and as long as operations take to complete."""
        return self.check.at_end

    @property
    def decides(self) -> bool:
        """Whether the check fails only where a delivery is accepted that should not be."""
        return self.check.decides

    @property
    def wants(self) -> tuple[str, ...]:
        """The tables or keys by which the check could judge what it could not."""
        return self.check.wants

    @property
    def rule(self) -> str:
        """The scenario that owns the check, if one does."""
        return self.check.rule

    @property
    def watches(self) -> bool:
        """Whether the check looks at whatever passes."""
        return self.check.watches

    def scope(self, seen: Seen) -> Seen:
        """Return what the check may judge of all that was seen."""
        return seen if self.step is None else seen.at(self.step)

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return what the check could not judge."""
        return self.check.find_unjudged(self.scope(seen))

    def note(self, seen: Seen) -> str:
        """Return what the check notes, though nothing is wrong with it."""
        return self.check.note(self.scope(seen))

    def judge(self, seen: Seen) -> Iterable[Finding]:
        """Return what does not hold; nothing before a step has run."""
        if self.step is None:
            return tuple(self.check.judge(seen))
        mine = self.scope(seen)
        findings = self.check.judge(mine) if mine.observations else ()
        return tuple(replace(finding, step=self.step) for finding in findings)
