"""The commands that judge: ``payproof run``, ``payproof demo`` and ``payproof judge``."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, get_args

import click

from payproof.cli.completion import complete_scenarios, complete_topics
from payproof.cli.console import tell_slow_search, wide_console
from payproof.cli.every_command import Seed, show_examples
from payproof.cli.judging_options import BaselineWriter, accept_problems, choose_detail, read_terms, tell_much
from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.domain.events import RunFinished
from payproof.domain.finding import Severity
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.reporters import Reporter, check_report, is_record, mask_report, open_report
from payproof.reporters.console import ConsoleReport, Detail
from payproof.reporters.github import GithubAnnotations
from payproof.session import (
    Choice,
    EmbeddedStore,
    Lanes,
    Session,
    Terms,
    all_scenarios,
    asks_for_fuzzing,
    asks_for_operations,
    choose,
    find_named_types,
    hold_interrupts,
    open_lanes,
    open_session,
    rejudge,
    scenario_folders,
    target_or_reference,
)

__all__ = ["demo", "judge", "run"]


_STORE = click.option(
    "--store",
    type=click.Choice(get_args(EmbeddedStore)),
    help="Database of the reference service; SQLite unless given.",
)
_SEED = click.option("--seed", type=Seed(), help="Repeat the run that printed this seed.")
_LANES = click.option(
    "--lanes",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="So many reference services side by side; they share the cases.",
)
_WRITE_BASELINE = click.option(
    "--write-baseline", type=click.Path(path_type=Path), help="Write the problems that were found as a baseline."
)
_REPORTS = click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write a run record (.jsonl), a page (.html), SARIF (.sarif), JUnit (.xml), Markdown (.md), metrics for "
    "Prometheus (.prom) or the problems for programs (.problems.jsonl), as the name ends; repeatable.",
)


@click.command(
    epilog=show_examples(
        "payproof run",
        "payproof run --target staging.toml --topic webhook_signature --report run.jsonl --report junit.xml",
        "payproof run --scenario 'webhook_signature/expired[301s]' --seed 7",
    )
)
@click.option(
    "--target",
    type=click.Path(path_type=Path),
    help="Target file; without it PAYPROOF_TARGET, or the payproof.toml (or [tool.payproof] target in pyproject.toml) "
    "of this folder or the nearest above, up to the repository's root.",
)
@click.option("--reference", is_flag=True, help="Judge the reference service that comes with Payproof, and no target.")
@_STORE
@OWN_SCENARIOS
@click.option("--topic", "topics", multiple=True, shell_complete=complete_topics, help="Only this topic; repeatable.")
@click.option(
    "--scenario",
    "ids",
    multiple=True,
    metavar="ID[case]",
    shell_complete=complete_scenarios,
    help="Only this scenario or case; repeatable.",
)
@click.option(
    "--exclude",
    "excluding",
    multiple=True,
    metavar="ID[case]",
    shell_complete=complete_scenarios,
    help="All but this scenario or case; repeatable.",
)
@click.option(
    "--severity",
    type=click.Choice([s.value for s in Severity]),
    default="low",
    show_default=True,
    help="At least this severity.",
)
@click.option(
    "--fail-fast",
    type=click.IntRange(1),
    help="Stop after N failed cases; what did not run is told as not run.",
)
@accept_problems
@_WRITE_BASELINE
@tell_much
@_SEED
@_LANES
@click.option(
    "--fuzz-effort",
    "effort",
    type=click.FloatRange(0.1, 100),
    metavar="TIMES",
    help="Make up so many times as many requests as usual.",
)
@_REPORTS
def run(
    target: Path | None,
    store: EmbeddedStore | None,
    own: Sequence[Path],
    topics: Sequence[str],
    ids: Sequence[str],
    excluding: Sequence[str],
    severity: str,
    fail_fast: int | None,
    seed: int | None,
    lanes: int,
    effort: float | None,
    reports: Sequence[Path],
    baseline: Path | None,
    waivers: Path | None,
    fail_on: Literal["new", "any"],
    write_baseline: Path | None,
    *,
    reference: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Run scenarios on a target and judge them."""
    file = target_or_reference(target=target, reference=reference)
    scenarios = all_scenarios(scenario_folders(own, file))
    choices = choose(scenarios, topics=topics, ids=ids, excluding=excluding, at_least=Severity(severity))
    return _run_cases(
        choices,
        file,
        store=store,
        seed=seed,
        lanes=lanes,
        effort=effort,
        reports=reports,
        own=own,
        terms=read_terms(baseline, waivers, fail_on, whole=len(choices) == len(choose(scenarios)), fail_fast=fail_fast),
        write_baseline=write_baseline,
        detail=choose_detail(verbose=verbose, quiet=quiet),
    )


@click.command(epilog=show_examples("payproof demo", "payproof demo --store postgresql --lanes 2"))
@_STORE
@_SEED
@click.option(
    "--lanes",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    help="So many reference services side by side; they share the cases.",
)
@_REPORTS
def demo(store: EmbeddedStore | None, seed: int | None, lanes: int, reports: Sequence[Path]) -> int:
    """Run every scenario on the reference service that comes with Payproof."""
    return _run_cases(choose(all_scenarios()), None, store=store, seed=seed, lanes=lanes, effort=None, reports=reports)


def _run_cases(
    choices: Sequence[Choice],
    file: Path | None,
    *,
    store: EmbeddedStore | None,
    seed: int | None,
    lanes: int,
    effort: float | None,
    reports: Sequence[Path],
    own: Sequence[Path] = (),
    terms: Terms | None = None,
    write_baseline: Path | None = None,
    detail: Detail = Detail.USUAL,
) -> int:
    """Run cases on the target that a file describes, or on the reference service, and report; return the exit code."""
    tell_slow_search()
    console = wide_console(record=True)
    for path in reports:
        check_report(path)
    others: list[Reporter] = [] if write_baseline is None else [BaselineWriter(write_baseline)]
    if os.environ.get("GITHUB_ACTIONS") == "true":
        others.append(GithubAnnotations(click.echo))
    given: Any = {"store": store, "effort": effort, "own": own}
    given |= {"operations": asks_for_operations(choices), "fuzzing": asks_for_fuzzing(choices)}
    types = find_named_types(case for _, case in choices)
    if lanes > 1 and file is not None:
        raise ConfigurationError("--lanes is for the reference service: a target file describes one target")
    with ExitStack() as stack:
        session: Lanes | Session
        try:
            if lanes > 1:
                session = stack.enter_context(open_lanes(lanes, seed=seed, **given))
            else:
                session = stack.enter_context(open_session(file, seed=seed, types=types, **given))
        except KeyboardInterrupt:
            raise KeyboardInterrupt("before the first case: nothing was judged, and no report is written") from None
        if isinstance(session, Session):
            session.require_acceptance(of_any_age=True)
        with hold_interrupts():
            record = next((path for path in reports if is_record(path)), None)
            reporters = [ConsoleReport(console, detail, record), *(open_report(path) for path in reports), *others]
            code = _report_events(session.run(choices, terms), reporters)
            if not session.ledger.holds_none([console.export_text().encode()]):
                told = "the output above holds a value that must not be shown; please report it"
                click.echo(f"payproof: {told}", err=True)
            for path in reports:
                if found := mask_report(path, session.ledger.mask_ever):
                    told = f"{', '.join(found)}: masked in {path} at the last look, please report it"
                    click.echo(f"payproof: {told}", err=True)
    return code


def _report_events(events: Any, reporters: Sequence[Reporter]) -> int:
    """Hand every event to every reporter; return the exit code that the footer names."""
    code = ExitCode.INTERRUPTED
    try:
        for event in events:
            for reporter in reporters:
                reporter.handle(event)
            if isinstance(event, RunFinished):
                code = event.exit_code
    finally:
        for reporter in reporters:
            reporter.close()
    return code


@click.command(epilog=show_examples("payproof judge run.jsonl", "payproof judge run.jsonl --write-baseline known.json"))
@click.argument("record", type=click.Path(path_type=Path))
@OWN_SCENARIOS
@accept_problems
@_WRITE_BASELINE
@tell_much
def judge(
    record: Path,
    own: Sequence[Path],
    baseline: Path | None,
    waivers: Path | None,
    fail_on: Literal["new", "any"],
    write_baseline: Path | None,
    *,
    verbose: bool,
    quiet: bool,
) -> int:
    """Judge a run record (--report FILE.jsonl) again with the checks of this version."""
    terms = read_terms(baseline, waivers, fail_on)
    detail = choose_detail(verbose=verbose, quiet=quiet)
    reporters: list[Reporter] = [ConsoleReport(wide_console(), detail, record)]
    reporters += [] if write_baseline is None else [BaselineWriter(write_baseline)]
    return _report_events(rejudge(record, found_folders(own), terms), reporters)
