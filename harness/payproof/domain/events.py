"""The events of a run, which reporters write down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.domain.calibration import Calibration
from payproof.domain.control import ControlEvents
from payproof.domain.finding import Finding, Severity
from payproof.domain.observation import Channel, Observation
from payproof.domain.problem import JudgedProblem
from payproof.domain.target import Contract
from payproof.domain.verdict import ExitCode, Verdict
from payproof.errors import Reason

__all__ = [
    "CaseFinished",
    "CaseStarted",
    "ProblemsFound",
    "Record",
    "RunEvent",
    "RunFinished",
    "RunStarted",
    "Unwatched",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run's header: what runs on what, and with which seed it can be repeated.

    ``file`` describes the target, which is at ``url``; the reference service, which the run started, has neither.
    ``calibration`` is what was learnt before the first case, and ``control`` the event that showed an effect.
    """

    version: str
    target: str
    url: str
    file: str
    environment: str
    seed: int
    started: str
    cases: int
    stores: tuple[str, ...]
    logs: tuple[str, ...]
    contract: Contract
    files: tuple[str, ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    control: ControlEvents | None = None


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """A case begins."""

    id: str


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A source in which this run's marker was not found, so that its silence means nothing."""

    channel: Channel
    source: str


@dataclass(frozen=True, slots=True)
class Record:
    """All that was observed in one case, fit to be judged again.

    ``stopped`` is why the case could not be finished, with one line of detail; ``again`` is the command that sends the
    request again after which the target was gone.
    """

    control: tuple[Observation, ...] = ()
    observations: tuple[Observation, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()
    stopped: tuple[Reason, str] | None = None
    again: str = ""


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """A case and its verdict, which is about its own rule; ``repeat`` is the command that runs just this case again.

    ``passing`` are findings of the checks that look at whatever passes: they count against other rules.
    ``requirements`` are the ids of who asks for the rule, ``follows_from`` the rules whose breach implies its, and
    ``remedy`` how a breach is mended where the usual words do not say it.
    ``masked`` are the values that stood in it when it was to be told, and were masked only then: a fault of ours.
    """

    id: str
    title: str
    severity: Severity
    verdict: Verdict
    record: Record
    seconds: float
    repeat: str
    masked: tuple[str, ...] = ()
    passing: tuple[Finding, ...] = ()
    requirements: tuple[str, ...] = ()
    follows_from: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run's footer; a report without it was cut short.

    ``unrun`` are the cases that were chosen and did not run: the run was interrupted, or stopped after some failures.
    """

    counts: Mapping[str, int]
    exit_code: ExitCode
    seconds: float
    unrun: int = 0


@dataclass(frozen=True, slots=True)
class ProblemsFound:
    """What a person has to mend, by all that was found; no record holds it, as it is made of the cases."""

    problems: tuple[JudgedProblem, ...]


RunEvent = RunStarted | CaseStarted | CaseFinished | ProblemsFound | RunFinished
