"""The problems of a run as JSON lines for programs; ``payproof.language`` has their shapes, and reads them."""

from collections.abc import Iterator

from payproof.domain.problem import JudgedProblem, Problem
from payproof.language.problem_lines import (
    FooterLine,
    HeaderLine,
    PlaceEntry,
    ProblemLine,
    SeenEntry,
    UnjudgedLine,
    UnknownLine,
    encode_problem_lines,
)
from payproof.reporters.whole_run import WholeRun

__all__ = ["write_problem_lines"]

_MOST_SEEN = 5
_MOST_EVIDENCE = 10
_LONGEST = 2_000

_Line = HeaderLine | ProblemLine | UnknownLine | UnjudgedLine | FooterLine


def write_problem_lines(run: WholeRun) -> str:
    """Return a header, a line for each problem, for each reason of what is unknown or not judged, and a footer."""
    return "".join(encode_problem_lines(_make_lines(run)))


def _make_lines(run: WholeRun) -> Iterator[_Line]:
    started, finished = run.started, run.finished
    yield HeaderLine(
        payproof=started.version,
        target=started.target,
        url=started.url,
        file=started.file,
        environment=started.environment,
        seed=started.seed,
        started=started.started,
        chosen=started.cases,
    )
    yield from map(_make_problem, run.problems)
    for fault in (True, False):
        for why, ids in run.group_unknown(faults=fault):
            yield UnknownLine(why=why, fault=fault, cases=ids)
    for group in run.group_skipped():
        yield UnjudgedLine(wants=group.wants, reasons=group.reasons, cases=group.cases)
    yield FooterLine(
        problems=len(run.problems),
        counts=dict(finished.counts),
        exit_code=int(finished.exit_code),
        seconds=round(finished.seconds, 3),
    )


def _make_problem(judged: JudgedProblem) -> ProblemLine:
    problem = judged.problem
    return ProblemLine(
        number=judged.number,
        fingerprint=problem.fingerprint,
        status=judged.status,
        why=judged.why,
        severity=problem.severity,
        reason=problem.reason,
        title=problem.title,
        rule=problem.rule,
        kind=problem.kind,
        place=PlaceEntry(channel=problem.spot.channel, name=problem.spot.name),
        remedy=problem.remedy,
        requirements=problem.requirements,
        also=problem.also,
        cases=problem.cases,
        sightings=len(problem.sightings),
        seen=tuple(_list_seen(problem))[:_MOST_SEEN],
        repeat=problem.repeat,
    )


def _list_seen(problem: Problem) -> Iterator[SeenEntry]:
    told = set()
    for one in problem.sightings:
        finding = one.finding
        if (sort := finding.what or finding.seen) not in told:
            told.add(sort)
            yield SeenEntry(
                case=one.case,
                step=finding.step,
                check=finding.check,
                expected=_cut(finding.expected),
                seen=_cut(finding.seen),
                evidence=tuple(map(_cut, finding.evidence[:_MOST_EVIDENCE])),
            )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
