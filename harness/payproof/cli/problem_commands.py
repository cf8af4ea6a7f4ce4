"""The commands that read recorded runs: ``payproof show`` and ``payproof diff``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.domain.events import CaseFinished
from payproof.domain.problem import JudgedProblem, Problem
from payproof.domain.verdict import ExitCode, Failed
from payproof.errors import ConfigurationError
from payproof.registry import nearest
from payproof.reporters.phrasing import describe_masking, name_some, one_line, story, summary
from payproof.reporters.problem_text import describe_findings, describe_problem, tell_title
from payproof.session import RecordedRun, compare_runs, read_run

__all__ = ["diff", "show"]

_SHORTEST = 4
_MOST_NAMED = 5
_RECORD = click.Path(path_type=Path)


@click.command(
    epilog=show_examples("payproof show run.jsonl 1", "payproof show run.jsonl 'webhook_signature/expired[301s]'")
)
@click.argument("record", type=_RECORD)
@click.argument("wanted", metavar="PROBLEM|CASE")
@OWN_SCENARIOS
def show(record: Path, wanted: str, own: Sequence[Path]) -> int:
    """Show everything that a run record holds of a problem or a case: what was sent, answered and seen.

    PROBLEM is its number in the report, or its fingerprint, of which the first letters do. CASE is an id.
    """
    run = read_run(record, found_folders(own))
    if wanted in run.cases:
        told = _describe_case(run.cases[wanted])
    else:
        told = _describe_problem(run, _find_problem(run, wanted, record))
    for line in told:
        click.echo(line)
    return ExitCode.HELD


def _find_problem(run: RecordedRun, wanted: str, record: Path) -> JudgedProblem:
    problems = run.problems.problems
    found = [one for one in problems if wanted == str(one.number)] or [
        one for one in problems if len(wanted) >= _SHORTEST and one.problem.fingerprint.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if "[" in wanted or "/" in wanted:
        raise ConfigurationError(f"no case {wanted!r} in it", hint=nearest(wanted, run.cases), file=record)
    hint = f"they are numbered 1 to {len(problems)}" if problems else "it holds no problem; name a case"
    raise ConfigurationError(f"no problem {wanted!r} in it", hint=hint, file=record)


def _describe_problem(run: RecordedRun, judged: JudgedProblem) -> Iterator[str]:
    yield tell_title(judged)
    yield from (f"  {line}" for line in describe_problem(judged))
    yield f"  id     {judged.problem.fingerprint}"
    for id_ in judged.problem.cases:
        yield ""
        yield from _describe_case(run.cases[id_])


def _describe_case(case: CaseFinished) -> Iterator[str]:
    yield one_line(f"{case.id}: {case.verdict.kind}: {case.title}")
    if not isinstance(case.verdict, Failed):
        yield f"  {summary(case.verdict)}"
    yield from (f"  {line}" for line in describe_findings(case))
    yield from (f"  {line}" for line in story(case.record))
    yield from (f"  {line}" for line in filter(None, [describe_masking(case)]))
    yield one_line(f"  again     {case.repeat}")


@click.command(epilog=show_examples("payproof diff main.jsonl branch.jsonl"))
@click.argument("old", type=_RECORD)
@click.argument("new", type=_RECORD)
@OWN_SCENARIOS
def diff(old: Path, new: Path, own: Sequence[Path]) -> int:
    """Tell what has changed between two run records: problems that are new, mended, or became unknown.

    Both are judged with the checks of this version. Exit code 1: a problem is new; 3: something became unknown.
    """
    folders = found_folders(own)
    changed = compare_runs(read_run(old, folders), read_run(new, folders))
    for word, problems in (("new", changed.new), ("mended", changed.mended), ("unknown", changed.unknown)):
        for problem in problems:
            click.echo(_describe_change(word, problem))
    if changed.unjudged:
        click.echo(f"not judged any more: {len(changed.unjudged)} cases: {name_some(changed.unjudged, _MOST_NAMED)}")
    counts = {"new": changed.new, "mended": changed.mended, "became unknown": changed.unknown, "stayed": changed.stayed}
    click.echo(", ".join(f"{len(problems)} {word}" for word, problems in counts.items()))
    return changed.exit_code


def _describe_change(word: str, problem: Problem) -> str:
    return one_line(f"{word:<8} {problem.severity.upper():<8}  {problem.title} ({problem.rule}): {problem.spot}")
