from collections import defaultdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from payproof.domain.events import CaseFinished, CaseStarted, RunEvent, RunFinished, RunStarted
from payproof.domain.finding import Severity
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.reporters.phrasing import (
    describe_calibration,
    describe_masking,
    describe_target,
    name_some,
    one_line,
    story,
    summary,
)

__all__ = ["ConsoleReport"]

_MOST_NAMED = 3
#: Lines are not cut: the rest of one, with words that the target has chosen, would begin as a line of ours does.
_WHOLE: Any = {"highlight": False, "soft_wrap": True}
_ENDINGS = {
    ExitCode.HELD: "[bold green]Every expectation that was judged held.[/]",
    ExitCode.BROKEN: "[bold red]The target breaks at least one rule.[/]",
    ExitCode.INTERRUPTED: "[bold yellow]Interrupted: the cases that did not run are unknown.[/]",
    ExitCode.UNKNOWN: "[bold yellow]Something could not be judged; unknown is not a pass.[/]",
    ExitCode.NOTHING_RAN: "[bold yellow]Nothing ran: nothing was proven.[/]",
}


class ConsoleReport:
    """Tells a person: progress while it runs, a table by topic, each failure with what was sent, expected and seen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._cases: list[CaseFinished] = []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=None)

    def handle(self, event: RunEvent) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._begin(event)
            case CaseStarted(id=id_):
                self._progress.update(self._task, description=_escape(id_))
            case CaseFinished():
                self._cases.append(event)
                self._progress.advance(self._task)
                if isinstance(event.verdict, Failed):
                    self._tell_failure(event, event.verdict)
                if event.masked:
                    self._progress.console.print(f"[yellow]{_escape(describe_masking(event))}[/]", **_WHOLE)
            case RunFinished():
                self._progress.stop()
                self._end(event)

    def close(self) -> None:
        """Give the terminal back."""
        self._progress.stop()

    def _begin(self, run: RunStarted) -> None:
        watched = [*(f"store {name}" for name in run.stores), *(f"log {name}" for name in run.logs)]
        what = escape(describe_target(run.target, run.environment, run.url, run.file))
        self._console.print(f"[bold]Payproof {run.version}[/] judges {what}", **_WHOLE)
        self._console.print(
            f"{run.cases} cases, seed {run.seed}, watching {_escape(', '.join(watched) or 'answers only')}",
            **_WHOLE,
        )
        for line in describe_calibration(run):
            self._console.print(_escape(line), **_WHOLE)
        for waiver in run.contract.waivers:
            self._console.print(f"[yellow]waived: {waiver.channel}: {_escape(waiver.reason)}[/]", soft_wrap=True)
        self._progress.update(self._task, total=run.cases)
        self._progress.start()

    def _tell_failure(self, case: CaseFinished, verdict: Failed) -> None:
        kind, colour = ("ADVICE", "yellow") if verdict.advised else ("FAILED", "red")
        out = self._progress.console
        out.print(
            f"\n[bold {colour}]{kind}[/] {_escape(case.id)} ({case.severity}): {_escape(case.title)}",
            **_WHOLE,
        )
        for finding in verdict.findings:
            out.print(f"  expected  {_escape(finding.expected)}", **_WHOLE)
            out.print(
                f"  seen      {_escape(finding.seen)}  [dim]{finding.check}, step {finding.step}[/]",
                **_WHOLE,
            )
            for evidence in finding.evidence:
                for line in evidence.splitlines():
                    out.print(f"            {_escape(line)}", style="dim", **_WHOLE)
        for line in story(case.record):
            out.print(f"  {_escape(line)}", style="dim", **_WHOLE)
        out.print(f"  repeat    {_escape(case.repeat)}", **_WHOLE)

    def _end(self, run: RunFinished) -> None:
        by_scenario: dict[str, list[CaseFinished]] = defaultdict(list)
        for case in self._cases:
            by_scenario[case.id.partition("[")[0]].append(case)
        for topic in dict.fromkeys(name.partition("/")[0] for name in by_scenario):
            self._console.print(self._table(topic, by_scenario))
        self._tell_unknown()
        self._tell_notes()
        counts = run.counts
        told = [
            f"{counts[kind]} {word}" for kind, word in _WORDS.items() if counts[kind] or kind in {"passed", "failed"}
        ]
        self._console.print(f"\n{', '.join(told)} in {run.seconds:.1f} s", **_WHOLE)
        self._console.print(_ENDINGS[run.exit_code])

    def _table(self, topic: str, by_scenario: dict[str, list[CaseFinished]]) -> Table:
        table = Table(title=topic, title_justify="left", title_style="bold", box=None, pad_edge=False)
        table.add_column("scenario", no_wrap=True)
        table.add_column("severity", no_wrap=True)
        kinds = [kind for kind in _WORDS if any(_kind(case) == kind for case in self._cases)]
        for kind in kinds:
            table.add_column(_WORDS[kind], justify="right", no_wrap=True)
        table.add_column("rule")
        for name, cases in by_scenario.items():
            if name.partition("/")[0] != topic:
                continue
            found = {kind: sum(_kind(case) == kind for case in cases) for kind in kinds}
            cells = [f"[{_COLOURS[kind]}]{number}[/]" if number else "" for kind, number in found.items()]
            table.add_row(name.partition("/")[2], _severity(cases[0].severity), *cells, _escape(cases[0].title))
        return table

    def _tell_unknown(self) -> None:
        """Tell what is not known and why, once for each reason."""
        reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
        for case in self._cases:
            if isinstance(case.verdict, (Errored, Skipped)):
                reasons[case.verdict.kind, summary(case.verdict)].append(case.id)
        for (kind, why), ids in reasons.items():
            self._console.print(f"\n[{_COLOURS[kind]}]{kind}[/] {_escape(why)}", **_WHOLE)
            self._console.print(f"  {_escape(name_some(ids, _MOST_NAMED))}", style="dim", **_WHOLE)

    def _tell_notes(self) -> None:
        """Tell what is worth knowing, once for each text."""
        notes: dict[str, list[str]] = defaultdict(list)
        for case in self._cases:
            if isinstance(case.verdict, Passed):
                for note in case.verdict.notes:
                    notes[note].append(case.id)
        for note, ids in notes.items():
            self._console.print(
                f"\n[dim]for information: {_escape(name_some(ids, _MOST_NAMED))}: {_escape(note)}[/]", **_WHOLE
            )


_WORDS = {
    "passed": "passed",
    "failed": "failed",
    "advised": "advice not kept",
    "errored": "errored",
    "skipped": "skipped",
}
_COLOURS = {"passed": "green", "failed": "red", "advised": "yellow", "errored": "yellow", "skipped": "blue"}


def _escape(text: str) -> str:
    return escape(one_line(text))


def _kind(case: CaseFinished) -> str:
    return "advised" if isinstance(case.verdict, Failed) and case.verdict.advised else case.verdict.kind


def _severity(severity: Severity) -> str:
    colour = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "dim"}
    return f"[{colour[severity]}]{severity}[/]"
