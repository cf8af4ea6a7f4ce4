"""Judges which problems count: those that an owner accepts are told too, and break nothing. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from payproof.domain.accepted import AcceptedRisk, AcceptedRisks
from payproof.domain.channel import Channel
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.problem import JudgedProblem, Problem, ProblemStatus, Sighting

__all__ = ["WAIVERS_RULE", "judge_problems"]

#: In place of a scenario: the rule that a waiver is about something, and not over.
WAIVERS_RULE = "payproof/waivers"

_Status = tuple[ProblemStatus, str]


def judge_problems(
    problems: Iterable[Problem],
    accepted: AcceptedRisks | None = None,
    today: date | None = None,
    *,
    whole: bool = False,
) -> tuple[JudgedProblem, ...]:
    """Return problems with their numbers and what each means.

    A waiver that is over is a problem of its own, and, of a ``whole`` run, so is one that fits nothing. Without a day
    no waiver is over.
    """
    given, accepted = tuple(problems), accepted or AcceptedRisks()
    used: set[str] = set()
    judged = [(one, *_judge_problem(one, accepted, today, used)) for one in given]
    wrong = [(one, ProblemStatus.NEW, "") for one in _judge_waivers(accepted, today, used, whole=whole)]
    return tuple(JudgedProblem(number, *one) for number, one in enumerate((*judged, *wrong), 1))


def _judge_problem(problem: Problem, accepted: AcceptedRisks, today: date | None, used: set[str]) -> _Status:
    fingerprint = problem.fingerprint
    location = f"{problem.rule}: {problem.spot}"
    fitting = [
        one for one in accepted.waivers if one.fits(kind=problem.kind, fingerprint=fingerprint, location=location)
    ]
    used |= {one.name for one in fitting}
    valid = next((one for one in fitting if today is None or one.expires >= today), None)
    if valid is not None:
        return ProblemStatus.WAIVED, valid.told
    if fingerprint in accepted.known:
        return ProblemStatus.KNOWN, ""
    return (ProblemStatus.ADVISED if problem.advised else ProblemStatus.NEW), ""


def _judge_waivers(
    accepted: AcceptedRisks, today: date | None, used: Iterable[str], *, whole: bool
) -> Iterator[Problem]:
    for one in accepted.waivers:
        if today is not None and one.expires < today:
            yield _make_problem(one, accepted.file, "waiver that is over", f"over since {one.expires}: {one.reason}")
        elif whole and one.name not in set(used):
            yield _make_problem(one, accepted.file, "waiver that fits nothing", f"it fits no problem: {one.reason}")


def _make_problem(waiver: AcceptedRisk, file: str, kind: str, told: str) -> Problem:
    finding = Finding("waivers", "a waiver of a problem that is there", told)
    spot = Spot(Channel.FILE, f"{file}, {waiver.name}")
    title = {"waiver that is over": "A waiver is over"}.get(kind, "A waiver fits nothing")
    remedy = "Mend what it waives, or have its owner decide anew; remove it when nothing is left."
    sightings: Sequence[Sighting] = (Sighting("", finding),)
    return Problem(WAIVERS_RULE, kind, spot, Severity.LOW, title, remedy, tuple(sightings))
