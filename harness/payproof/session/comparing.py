"""Compares two recorded runs, by the problems that this version sees in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from payproof.domain.events import CaseFinished, ProblemsFound, RunStarted
from payproof.domain.problem import Problem
from payproof.domain.verdict import ExitCode, Failed, Passed
from payproof.errors import ConfigurationError
from payproof.session.record import rejudge

__all__ = ["RecordedRun", "RunDifference", "compare_runs", "read_run"]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A recorded run: its header, its cases by their ids, and its problems."""

    header: RunStarted
    cases: dict[str, CaseFinished]
    problems: ProblemsFound

    @property
    def judged(self) -> frozenset[str]:
        """The cases of which something is known."""
        return frozenset(id_ for id_, case in self.cases.items() if isinstance(case.verdict, Passed | Failed))


@dataclass(frozen=True, slots=True)
class RunDifference:
    """The problems that only the later of two runs has, those that are mended, and the unknown ones.

    ``stayed`` are the others. ``unjudged`` are the cases of which only the earlier run knew something.
    """

    new: tuple[Problem, ...]
    mended: tuple[Problem, ...]
    unknown: tuple[Problem, ...]
    stayed: tuple[Problem, ...]
    unjudged: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """A new problem breaks the contract; what is not known any more leaves it unknown."""
        if any(not one.advised for one in self.new):
            return ExitCode.BROKEN
        return ExitCode.UNKNOWN if self.unknown or self.unjudged else ExitCode.HELD


def read_run(path: Path, own: Sequence[Path] = ()) -> RecordedRun:
    """Read a run record, with verdicts and problems made anew from its observations.

    Raises:
        ConfigurationError: the file is no whole run record, or names unknown cases.
    """
    events = [*rejudge(path, own)]
    header, problems = events[0], next((one for one in events if isinstance(one, ProblemsFound)), None)
    if not isinstance(header, RunStarted) or problems is None:
        raise ConfigurationError("not a run record", file=path)
    return RecordedRun(header, {one.id: one for one in events if isinstance(one, CaseFinished)}, problems)


def compare_runs(old: RecordedRun, new: RecordedRun) -> RunDifference:
    """Return what has changed from one run to a later one.

    A problem is mended where a case that had seen it was judged again, and has seen nothing of it.
    """
    before, after = ({one.problem.fingerprint: one.problem for one in run.problems.problems} for run in (old, new))
    gone = [problem for fingerprint, problem in before.items() if fingerprint not in after]
    mended = [one for one in gone if new.judged & set(one.cases)]
    return RunDifference(
        new=tuple(problem for fingerprint, problem in after.items() if fingerprint not in before),
        mended=tuple(mended),
        unknown=tuple(one for one in gone if one not in mended),
        stayed=tuple(problem for fingerprint, problem in after.items() if fingerprint in before),
        unjudged=tuple(sorted(old.judged - new.judged)),
    )
