from collections.abc import Callable

from payproof.domain.events import ProblemsFound, RunEvent
from payproof.domain.finding import Severity
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.reporters.phrasing import one_line

__all__ = ["GithubAnnotations"]

_MOST = 10  # of a step and sort, GitHub shows no more


class GithubAnnotations:
    """Prints an annotation of GitHub Actions for each new problem, as workflow commands."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        if isinstance(event, ProblemsFound):
            new = [one for one in event.problems if one.status is ProblemStatus.NEW]
            for one in new[:_MOST]:
                self._write(_annotate(one))

    def close(self) -> None:
        """Do nothing: each line is written at once."""


def _annotate(judged: JudgedProblem) -> str:
    problem = judged.problem
    sort = "error" if problem.severity in {Severity.CRITICAL, Severity.HIGH} else "warning"
    title = _escape(f"{problem.severity.upper()}: {problem.title}").replace(":", "%3A").replace(",", "%2C")
    return f"::{sort} title={title}::{_escape(f'{problem.spot} ({problem.rule}) {problem.remedy}'.strip())}"


def _escape(text: str) -> str:
    """Return text as a workflow command takes it: in one line, with no sign that would end or begin another."""
    return one_line(text).replace("%", "%25")
