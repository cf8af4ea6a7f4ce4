from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, CaseStarted, ProblemsFound, RunEvent, RunFinished, RunStarted
from payproof.domain.finding import Severity
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped, name_verdict
from payproof.engine.unjudged import group_unjudged
from payproof.errors import Reason
from payproof.reporters.phrasing import (
    describe_calibration,
    describe_masking,
    describe_target,
    name_some,
    one_line,
    story,
    summary,
)
from payproof.reporters.problem_text import describe_findings, describe_seen, describe_status, name_source
from payproof.reporters.whole_run import ENDINGS, count_verdict_names, group_topics, list_findings

__all__ = ["ConsoleReport", "Detail"]

_MOST_NAMED = 3
_MOST_ALIKE = 2
_FEW_NUMBERS = 2
_MOST_WHOLE = 10  # problems that are told whole; of the others one line each
_MOST_REASONS = 5
_FEW = 5  # problems that are told at length
_MOST_GROUPS = 6
_NARROW = 80
_WIDE = 100  # where there is no terminal
#: Lines are not cut: the rest of one, with words that the target has chosen, would begin as a line of ours does.
_WHOLE: Any = {"highlight": False, "soft_wrap": True}
_BUG = "a fault of Payproof, not of the target: please report it with this line"


class Detail(Enum):
    """How much the console tells."""

    QUIET = "quiet"
    USUAL = "usual"
    VERBOSE = "verbose"


class ConsoleReport:
    """Tells a person: progress while it runs, then the problems, what was not judged, and how many rules held.

    ``record`` is the run record that is written beside, for what the last line advises.
    """

    def __init__(self, console: Console, detail: Detail = Detail.USUAL, record: Path | None = None) -> None:
        self._console, self._detail, self._record = console, detail, record
        self._cases: list[CaseFinished] = []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal or detail is Detail.QUIET,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._seen: set[tuple[str, str]] = set()
        self._is_dense = False

    def handle(self, event: RunEvent) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._begin(event)
            case CaseStarted(id=id_):
                so_far = f", {len(self._seen)} kinds of problems" if self._seen else ""
                self._progress.update(self._task, description=_escape(f"{id_}{so_far}"))
            case CaseFinished():
                self._take(event)
            case ProblemsFound(problems=problems):
                self._progress.stop()
                self._tell_problems(problems)
            case RunFinished():
                self._progress.stop()
                self._end(event)

    def close(self) -> None:
        """Give the terminal back."""
        self._progress.stop()

    def _print(self, line: str = "", **options: Any) -> None:
        self._progress.console.print(line, **{**_WHOLE, **options})

    def _begin(self, run: RunStarted) -> None:
        watched = [*(f"store {name}" for name in run.stores), *(f"log {name}" for name in run.logs)]
        what = escape(describe_target(run.target, run.environment, run.url, run.file))
        self._print(f"[bold]Payproof {run.version}[/] judges {what}")
        if self._detail is not Detail.QUIET:
            self._print(f"{run.cases} cases, seed {run.seed}, watching {_escape(', '.join(watched) or 'answers only')}")
            for line in describe_calibration(run):
                self._print(_escape(line))
        for waiver in run.contract.waivers:
            self._print(f"[yellow]waived: {waiver.channel}: {_escape(waiver.reason)}[/]")
        self._progress.update(self._task, total=run.cases)
        self._progress.start()

    def _take(self, case: CaseFinished) -> None:
        self._cases.append(case)
        self._progress.advance(self._task)
        self._seen |= {(one.rule, one.kind) for one in list_findings(case)}
        if self._detail is Detail.VERBOSE:
            self._tell_case(case)
        if case.masked:
            self._print(f"[yellow]{_escape(describe_masking(case))}[/]")

    def _tell_case(self, case: CaseFinished) -> None:
        kind = name_verdict(case.verdict)
        self._print(f"[{_COLOURS[kind]}]{_WORDS[kind]:<9}[/] {_escape(case.id)}  [dim]{case.seconds:.1f} s[/]")
        findings = [*describe_findings(case)]
        for line in findings:
            self._print(f"  {_escape(line)}")
        if findings:
            for line in story(case.record):
                self._print(f"  {_escape(line)}", style="dim")
            self._print(f"  again     {_escape(case.repeat)}")
        elif not isinstance(case.verdict, Passed):
            self._print(f"  {_escape(summary(case.verdict))}", style="dim")

    def _tell_problems(self, problems: Sequence[JudgedProblem]) -> None:
        judged = [case for case in self._cases if isinstance(case.verdict, Passed | Failed)]
        held = sum(isinstance(case.verdict, Passed) for case in judged)
        share = f"{len(judged)} cases judged" + (f", {100 * held // len(judged)} % of the rules held" if judged else "")
        new = sum(one.status is ProblemStatus.NEW for one in problems)
        others = Counter(one.status for one in problems if one.status is not ProblemStatus.NEW)
        told = f"{new} problem{'' if new == 1 else 's'}" if new else "No problem"
        told += "".join(f", {number} {status}" for status, number in others.items())
        self._print(f"\n[bold {'red' if new else 'green'}]{told}[/]; {share}")
        mended: dict[str, int] = {}
        self._is_dense = len(problems) > _FEW and self._detail is not Detail.VERBOSE
        if self._is_dense and self._detail is Detail.USUAL:
            self._print()
        is_grouped = self._is_dense and self._detail is Detail.USUAL
        groups = _group_alike(problems) if is_grouped else [(one,) for one in problems]
        for one, *alike in groups[:_MOST_WHOLE]:
            self._tell_problem(one, mended.setdefault(one.problem.remedy, one.number), alike)
        if len(groups) > _MOST_WHOLE:
            self._print()
        for one, *alike in groups[_MOST_WHOLE:]:
            more = f" and {len(alike)} more" if alike else ""
            self._print(f"{_head(one)}: {_escape(str(one.problem.spot))}{more}")

    def _tell_problem(self, judged: JudgedProblem, like: int, alike: Sequence[JudgedProblem] = ()) -> None:
        """Tell a problem; ``like`` is the first one that is mended in the same way, ``alike`` are told in one line."""
        problem = judged.problem
        if self._detail is Detail.QUIET:
            self._print(f"{_head(judged)}: {_escape(str(problem.spot))}")
            return
        asked = name_source(problem.requirements)
        rule = f"{problem.rule}, {asked}" if asked else problem.rule
        if not self._is_dense:
            self._print()
        self._print(f"{_head(judged)}  [dim]{_escape(rule)}[/]")
        self._tell("seen", f"{problem.spot}: {describe_seen(problem)}")
        if alike:
            prefix = f"{str(problem.spot).partition(', ')[0]}, "
            spots = name_some([str(one.problem.spot).removeprefix(prefix) for one in alike], _MOST_ALIKE)
            self._tell("alike", f"problem{'s' if len(alike) > 1 else ''} {_name_numbers(alike)}: {spots}")
        if problem.also and not self._is_dense:
            self._tell("also", name_some(problem.also, _MOST_NAMED))
        if (status := describe_status(judged)) and judged.status is not ProblemStatus.ADVISED:
            self._tell("note", status)
        if problem.remedy:
            self._tell("mend", problem.remedy if like == judged.number else f"as problem {like}")
        self._print(f"    again  {_escape(problem.repeat)}")

    @property
    def _width(self) -> int:
        """How many columns a line may have: those of the terminal, and enough of them."""
        return max(_NARROW, self._console.width if self._console.is_terminal else _WIDE)

    def _tell(self, word: str, text: str) -> None:
        """Print a text, wrapped behind its word, so that no line of a target's words begins as one of ours does.

        Where there are many problems, one line must do.
        """
        width = self._width - 12
        lines = wrap(one_line(text), width, break_on_hyphens=False) or [""]
        if self._is_dense and len(lines) > 1:
            lines = [lines[0][: width - 1] + "…"]
        for number, line in enumerate(lines):
            self._print(f"    {word if not number else '':<6} {escape(line)}")

    def _end(self, run: RunFinished) -> None:
        if self._detail is not Detail.QUIET:
            self._tell_unjudged()
        self._tell_unknown()
        if self._detail is not Detail.QUIET:
            self._console.print()
            self._console.print(self._make_table())
        if self._detail is Detail.VERBOSE:
            self._tell_notes()
        counts = run.counts
        told = [
            f"{counts[kind]} {word}" for kind, word in _WORDS.items() if counts[kind] or kind in {"passed", "failed"}
        ]
        self._print(f"\n{', '.join(told)} in {run.seconds:.1f} s")
        colour = _ENDING_COLOURS.get(run.exit_code, "yellow")
        self._print(f"[bold {colour}]{ENDINGS[run.exit_code]}[/]")
        if run.unrun and run.exit_code is not ExitCode.INTERRUPTED:
            self._print(f"[yellow]Stopped by --fail-fast: {run.unrun} cases did not run and are unknown.[/]")
        failed = counts["failed"] or counts["advised"] or counts["errored"]
        if failed and self._record is not None and self._detail is not Detail.QUIET:
            self._print(f"[dim]all that was sent, answered and seen: payproof show {_escape(str(self._record))} 1[/]")

    def _make_table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("topic", no_wrap=True)
        total = count_verdict_names(self._cases)
        kinds = [kind for kind in _WORDS if kind == "passed" or total[kind]]
        for kind in kinds:
            table.add_column(_HEADS[kind], justify="right", no_wrap=True)
        for topic, cases in group_topics(self._cases).items():
            found = count_verdict_names(cases)
            cells = [f"[{_COLOURS[kind]}]{found[kind]}[/]" if found[kind] else "" for kind in kinds]
            table.add_row(topic, *cells)
        return table

    def _tell_unjudged(self) -> None:
        """Tell what was not judged, by what of the target file would let it be."""
        skipped = [(case.id, case.verdict) for case in self._cases if isinstance(case.verdict, Skipped)]
        if not skipped:
            return
        self._print(f"\n[blue]Not judged: {len(skipped)} cases.[/] What in the target file would let them be judged:")
        groups = group_unjudged(skipped)
        shown = groups if self._detail is Detail.VERBOSE or len(groups) <= _MOST_GROUPS else groups[:_MOST_GROUPS]
        for group in shown:
            reason = "" if group.wants else f": {group.reasons[0]}"
            self._print(f"{len(group.cases):>5}  {_escape(one_line(group.title + reason))}")
        if len(groups) > len(shown):
            rest = groups[len(shown) :]
            titles = ", ".join(group.title for group in rest if group.wants)
            self._tell_rest(sum(len(group.cases) for group in rest), titles)

    def _tell_rest(self, number: int, titles: str) -> None:
        for place, line in enumerate(wrap(one_line(titles), self._width - 7) or ["for other reasons"]):
            self._print(f"{'' if place else number:>5}  {escape(line)}")

    def _tell_unknown(self) -> None:
        """Tell what is not known and why, once for each reason; what Payproof itself got wrong stands apart."""
        reasons: dict[str, list[str]] = defaultdict(list)
        faults: dict[str, list[str]] = defaultdict(list)
        for case in self._cases:
            if isinstance(case.verdict, Errored):
                mine = faults if case.verdict.reason is Reason.HARNESS_FAULT else reasons
                mine[summary(case.verdict)].append(case.id)
        shown = [*reasons.items()][: None if self._detail is Detail.VERBOSE else _MOST_REASONS]
        for why, ids in shown:
            self._print(f"\n[yellow]unknown[/] {_escape(why)}")
            self._print(f"  {_escape(name_some(ids, _MOST_NAMED))}", style="dim")
        if len(reasons) > len(shown):
            self._print(f"\n[yellow]unknown[/] for {len(reasons) - len(shown)} more reasons: --verbose tells them")
        for why, ids in faults.items():
            self._print(f"\n[bold red]{_BUG}[/]: {_escape(why)}")
            self._print(f"  {_escape(name_some(ids, _MOST_NAMED))}", style="dim")

    def _tell_notes(self) -> None:
        """Tell what is worth knowing, once for each text."""
        notes: dict[str, list[str]] = defaultdict(list)
        for case in self._cases:
            if isinstance(case.verdict, Passed):
                for note in case.verdict.notes:
                    notes[note].append(case.id)
        for note, ids in notes.items():
            self._print(f"\n[dim]for information: {_escape(name_some(ids, _MOST_NAMED))}: {_escape(note)}[/]")


_WORDS = {
    "passed": "passed",
    "failed": "failed",
    "advised": "advice not kept",
    "errored": "errored",
    "skipped": "skipped",
}
_HEADS = {"passed": "held", "failed": "broken", "advised": "advice", "errored": "unknown", "skipped": "not judged"}
_COLOURS = {"passed": "green", "failed": "red", "advised": "yellow", "errored": "yellow", "skipped": "blue"}
_ENDING_COLOURS = {ExitCode.HELD: "green", ExitCode.BROKEN: "red"}
_SEVERITY_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}


def _head(judged: JudgedProblem) -> str:
    """Return the number, the severity or the status, and the title of a problem, in rich's markup."""
    problem, status = judged.problem, judged.status
    told = problem.severity.upper() if status is ProblemStatus.NEW else str(status)
    colour = _SEVERITY_COLOURS[problem.severity] if status is ProblemStatus.NEW else "dim"
    return f"{judged.number:>2}  [{colour}]{told:<8}[/]  [bold]{_escape(problem.title)}[/]"


def _group_alike(problems: Sequence[JudgedProblem]) -> list[tuple[JudgedProblem, ...]]:
    """Return columns that keep the same kind of data together: who mirrors Stripe has many for one reason."""
    groups: dict[tuple[object, ...], list[JudgedProblem]] = defaultdict(list)
    for one in problems:
        problem = one.problem
        key = (one.status, problem.severity, problem.rule, problem.kind)
        groups[key if problem.spot.channel is Channel.STORE else (one.number,)].append(one)
    return [tuple(group) for group in groups.values()]


def _name_numbers(problems: Sequence[JudgedProblem]) -> str:
    """Return numbers of problems as ``3, 4, 6 to 9``."""
    ranges: list[list[int]] = []
    for one in problems:
        if ranges and ranges[-1][-1] == one.number - 1:
            ranges[-1].append(one.number)
        else:
            ranges.append([one.number])
    told = [f"{one[0]} to {one[-1]}" if len(one) > _FEW_NUMBERS else ", ".join(map(str, one)) for one in ranges]
    return ", ".join(told)


def _escape(text: str) -> str:
    return escape(one_line(text))
