"""What a report needs that tells of a run as a whole, and the reporter that keeps it until the run has ended."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO

from payproof.domain.events import CaseFinished, ProblemsFound, RunEvent, RunFinished, RunStarted
from payproof.domain.finding import Finding
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.verdict import Errored, ExitCode, Failed, Skipped, name_verdict
from payproof.engine.unjudged import UnjudgedGroup, group_unjudged
from payproof.errors import Reason
from payproof.reporters.phrasing import summary

__all__ = [
    "ENDINGS",
    "VERDICT_WORDS",
    "WholeRun",
    "WholeRunReporter",
    "count_verdict_names",
    "group_topics",
    "list_findings",
]

#: The words of reports for what became of a case, by the names that a run record counts by.
VERDICT_WORDS = {
    "passed": "held",
    "failed": "broken",
    "advised": "advice not kept",
    "errored": "unknown",
    "skipped": "not judged",
}
#: One sentence for how a run ended.
ENDINGS = {
    ExitCode.HELD: "Every expectation that was judged held.",
    ExitCode.BROKEN: "The target breaks at least one rule.",
    ExitCode.INTERRUPTED: "Interrupted: the cases that did not run are unknown.",
    ExitCode.UNKNOWN: "Something could not be judged; unknown is not a pass.",
    ExitCode.USAGE: "Nothing was judged: the configuration is wrong.",
    ExitCode.NOTHING_RAN: "Nothing ran: nothing was proven.",
}
_NO_PROBLEM = {
    ExitCode.HELD: "No problem",
    ExitCode.BROKEN: "Problems that were known or waived",
    ExitCode.INTERRUPTED: "Interrupted before a problem was found",
    ExitCode.UNKNOWN: "No problem found, but not all is known",
    ExitCode.USAGE: "Nothing was judged",
    ExitCode.NOTHING_RAN: "Nothing was judged",
}


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run that has ended: its header, its cases in order, its problems, the gravest first, and its footer."""

    started: RunStarted
    cases: tuple[CaseFinished, ...]
    problems: tuple[JudgedProblem, ...]
    finished: RunFinished

    @property
    def unrun(self) -> int:
        """How many cases were chosen and did not run."""
        return self.started.cases - len(self.cases)

    def count_new(self) -> int:
        """Return how many problems are new."""
        return sum(one.status is ProblemStatus.NEW for one in self.problems)

    @property
    def headline(self) -> str:
        """How many problems are new; without any whether that is known."""
        if new := self.count_new():
            return f"{new} problem{'' if new == 1 else 's'}"
        return _NO_PROBLEM[self.finished.exit_code]

    def group_skipped(self) -> tuple[UnjudgedGroup, ...]:
        """Return what was not judged, by what of the target file would let it be."""
        return group_unjudged((case.id, case.verdict) for case in self.cases if isinstance(case.verdict, Skipped))

    def group_unknown(self, *, faults: bool) -> list[tuple[str, tuple[str, ...]]]:
        """Return why something is unknown, or what Payproof itself got wrong, with the cases, the most cases first."""
        ids: dict[str, list[str]] = defaultdict(list)
        for case in self.cases:
            verdict = case.verdict
            if isinstance(verdict, Errored) and (verdict.reason is Reason.HARNESS_FAULT) is faults:
                ids[summary(verdict)].append(case.id)
        return [(why, tuple(cases)) for why, cases in sorted(ids.items(), key=lambda one: (-len(one[1]), one[0]))]


def list_findings(case: CaseFinished) -> Sequence[Finding]:
    """Return what was found in a case: against its own rule, and against others in passing."""
    return (*(case.verdict.findings if isinstance(case.verdict, Failed) else ()), *case.passing)


def count_verdict_names(cases: Iterable[CaseFinished]) -> Counter[str]:
    """Return how many cases came to what."""
    return Counter(name_verdict(case.verdict) for case in cases)


def group_topics(cases: Iterable[CaseFinished]) -> dict[str, list[CaseFinished]]:
    """Return cases by topic, each in the order in which it ran."""
    topics: dict[str, list[CaseFinished]] = defaultdict(list)
    for case in cases:
        topics[case.id.partition("/")[0]].append(case)
    return topics


class WholeRunReporter:
    """Keeps what a run tells and writes it at its end, in one form; of a run that was cut short it writes nothing."""

    def __init__(self, file: IO[str], write: Callable[[WholeRun], str]) -> None:
        self._file, self._write = file, write
        self._started: RunStarted | None = None
        self._cases: list[CaseFinished] = []
        self._problems: tuple[JudgedProblem, ...] = ()

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                self._started = event
            case CaseFinished():
                self._cases.append(event)
            case ProblemsFound(problems=problems):
                self._problems = problems
            case RunFinished():
                assert self._started is not None
                self._file.write(self._write(WholeRun(self._started, tuple(self._cases), self._problems, event)))
            case _:
                pass

    def close(self) -> None:
        """Close the file."""
        self._file.close()
