"""The command ``payproof``: thin; every command asks the session or a pure function, and prints."""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness import __version__
from harness.cli.scan_command import scan
from harness.domain.documents import read_json
from harness.domain.events import RunFinished
from harness.domain.finding import Severity
from harness.domain.observation import Answer, NoAnswer
from harness.domain.scenario import Scenario
from harness.domain.sensitive import LIVE_KEYS, Secret
from harness.domain.verdict import ExitCode
from harness.errors import ConfigurationError, InconclusiveError, PayproofError, Reason, TargetStartError, place_of
from harness.language import scenario_schema, target_schema
from harness.registry import nearest
from harness.reporters import Reporter, check_report, mask_report, open_report
from harness.reporters.console import ConsoleReport
from harness.reporters.words import printable
from harness.session import (
    EmbeddedStore,
    Lanes,
    Session,
    all_scenarios,
    asks_for_fuzzing,
    asks_for_operations,
    choose,
    deliver_once,
    describe_target,
    event_factory,
    open_lanes,
    open_session,
    rejudged,
)
from harness.stripe.forgeries import FORGERIES
from harness.stripe.signature import diagnose

__all__ = ["cli", "main"]

_SUCCESS = range(200, 300)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="payproof")
def cli() -> None:
    """Prove that a Stripe billing integration keeps payment data safe.

    Exit codes: 0 all held, 1 a rule is broken, 2 interrupted, 3 something is unknown, 4 wrong usage or configuration,
    5 nothing ran.
    """


@cli.command()
@click.option("--target", type=click.Path(path_type=Path), help="Target file; without it the reference service runs.")
@click.option(
    "--store", type=click.Choice(get_args(EmbeddedStore)), help="Database of the reference service; SQLite without it."
)
@click.option("--topic", "topics", multiple=True, help="Only this topic.")
@click.option("--scenario", "ids", multiple=True, metavar="ID[case]", help="Only this scenario or case.")
@click.option(
    "--severity", type=click.Choice([s.value for s in Severity]), default="low", help="At least this severity."
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Repeat the run that printed this seed.")
@click.option(
    "--lanes",
    type=click.IntRange(1, 16),
    default=1,
    help="So many reference services side by side; they share the cases.",
)
@click.option(
    "--fuzz-effort",
    "effort",
    type=click.FloatRange(0.1, 100),
    metavar="TIMES",
    help="Make up so many times as many requests as usual.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE.jsonl|FILE.xml",
    help="Also write a run record or JUnit XML.",
)
def run(
    target: Path | None,
    store: EmbeddedStore | None,
    topics: Sequence[str],
    ids: Sequence[str],
    severity: str,
    seed: int | None,
    lanes: int,
    effort: float | None,
    reports: Sequence[Path],
) -> int:
    """Run scenarios on a target and judge them."""
    choices = choose(all_scenarios(), topics=topics, ids=ids, at_least=Severity(severity))
    console = _console(record=True)
    for path in reports:
        check_report(path)
    operations, fuzzing = asks_for_operations(choices), asks_for_fuzzing(choices)
    if lanes > 1 and target is not None:
        raise ConfigurationError("--lanes is for the reference service: a target file describes one target")
    opened: AbstractContextManager[Lanes | Session]
    if lanes > 1:
        opened = open_lanes(lanes, seed=seed, store=store, operations=operations, fuzzing=fuzzing, effort=effort)
    else:
        opened = open_session(target, seed=seed, store=store, operations=operations, fuzzing=fuzzing, effort=effort)
    with opened as session:
        files = [open_report(path) for path in reports]
        code = _told(session.run(choices), [ConsoleReport(console), *files])
        if not session.ledger.holds_none([console.export_text().encode()]):
            click.echo("payproof: the output above holds a value that must not be shown; please report it", err=True)
        for path in reports:
            found = mask_report(path, session.ledger.mask_ever)
            if found:
                told = f"{', '.join(found)}: masked in {path} at the last look, please report it"
                click.echo(f"payproof: {told}", err=True)
    return code


def _console(*, record: bool = False) -> Console:
    """Return a console as wide as the terminal; in a file or a CI log as wide as the tables like."""
    console = Console(record=record)
    return console if console.is_terminal else Console(record=record, width=140)


def _told(events: Any, reporters: Sequence[Reporter]) -> int:
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


@cli.command("list")
@click.option("--where", is_flag=True, help="Show the file of each scenario.")
@click.option("--cases", is_flag=True, help="Show each case.")
def list_(*, where: bool, cases: bool) -> None:
    """List the scenarios."""
    for scenario in all_scenarios():
        place = f"  {scenario.place}" if where else ""
        click.echo(f"{scenario.id:<42} {scenario.severity:<9} {len(scenario.cases):>3} cases  {scenario.title}{place}")
        for case in scenario.cases if cases else ():
            click.echo(f"  {case.id}")


@cli.command()
@click.argument("id_", metavar="ID")
def explain(id_: str) -> None:
    """Tell what a scenario does, who asks for it, and which planted defects prove that it can fail."""
    known = {scenario.id: scenario for scenario in all_scenarios()}
    name = id_.partition("[")[0]
    if name not in known:
        raise ConfigurationError(f"unknown scenario {id_!r}", hint=nearest(name, known))
    _explain(known[name], _console())


def _explain(scenario: Scenario, out: Console) -> None:
    out.print(f"[bold]{escape(scenario.id)}[/] ({scenario.severity})\n{escape(scenario.title)}\n", highlight=False)
    for requirement in scenario.requirements:
        source = f" [dim]({escape(requirement.source)})[/]" if requirement.source else ""
        out.print(f"[bold]{escape(requirement.id)}[/]: {escape(requirement.says)}{source}", highlight=False)
    if scenario.control is not None:
        held = ", ".join(check.name for check in scenario.control.expect)
        out.print(f"\n[bold]control[/]: {escape(_steps(scenario.control.steps))} → {held}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("case", "does", "expects", "needs"):
        table.add_column(column, overflow="fold")
    for case in scenario.cases:
        expected = ", ".join(check.name for check in case.phase.expect)
        table.add_row(escape(case.name), escape(_steps(case.phase.steps)), expected, ", ".join(case.needs))
    out.print()
    out.print(table)
    out.print("\n[bold]planted defects that it catches[/]", highlight=False)
    for defect, check in scenario.defects.items():
        out.print(f"  {escape(defect)} (by {check})", highlight=False)
    out.print(f"\n{escape(scenario.place)}", style="dim", highlight=False)


def _steps(steps: Sequence[Any]) -> str:
    told = []
    for step in steps:
        usual = type(step)()
        given = {field.name: getattr(step, field.name) for field in fields(step)}
        varied = [f"{key}={value}" for key, value in given.items() if value != getattr(usual, key)]
        told.append(f"{step.name}({', '.join(varied)})" if varied else step.name)
    return "; ".join(told)


@cli.command()
@click.argument("which", type=click.Choice(["target", "scenario"]))
def schema(which: str) -> None:
    """Print the JSON Schema of target or scenario files, for editors."""
    click.echo(json.dumps(target_schema() if which == "target" else scenario_schema(), indent=2))


@cli.command()
@click.argument("url")
@click.option("--output", type=click.Path(path_type=Path), default=Path("payproof.toml"), show_default=True)
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def init(url: str, output: Path, ca_file: str | None, *, force: bool) -> None:
    """Look at URL and write a commented target file with what was found."""
    if output.exists() and not force:
        raise ConfigurationError("there is a file already", hint="give --output or --force", file=output)
    text = describe_target(url, ca_file=ca_file and str(Path(ca_file).absolute()))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", file=output) from None
    click.echo(f"{output} written; check it, set the secret's variable, then: payproof run --target {output}")


@cli.command()
@click.argument("record", type=click.Path(path_type=Path))
def judge(record: Path) -> int:
    """Judge a run record (--report FILE.jsonl) again with the checks of this version."""
    return _told(rejudged(record), [ConsoleReport(_console())])


def _secret(variable: str) -> Secret:
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"the environment variable {variable} is not set", hint="it must hold the secret")
    if value.startswith(LIVE_KEYS):
        raise ConfigurationError(f"{variable} holds a live Stripe key", hint="give the endpoint's secret (whsec_...)")
    return Secret("webhook secret", value)


def _body(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the body cannot be read: {error.strerror}", file=path) from None


def _setting(text: str) -> tuple[str, object]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ConfigurationError(f"--set {text!r} is not PATH=VALUE", hint="such as status=canceled")
    try:
        return path, read_json(value)
    except ValueError:
        return path, value


@cli.command()
@click.argument("event", required=False)
@click.option("--url", required=True, help="Where to deliver.")
@click.option("--secret-env", required=True, metavar="NAME", help="Variable that holds the signing secret.")
@click.option("--body", type=click.Path(path_type=Path), help="Deliver this file's bytes as they are; - is stdin.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Set a value of the event's object.")
@click.option("--signature", default="valid", show_default=True, help="How to sign or forge; see --list.")
@click.option("--api-version", help="Shape of the made-up event.")
@click.option("--livemode", is_flag=True, help="Make an event of live mode.")
@click.option("--seed", type=click.IntRange(0), help="Make the same event again.")
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds.")
def deliver(
    event: str | None,
    url: str,
    secret_env: str,
    body: Path | None,
    settings: Sequence[str],
    signature: str,
    api_version: str | None,
    seed: int | None,
    ca_file: str | None,
    timeout: float,
    *,
    livemode: bool,
) -> int:
    """Deliver EVENT (such as invoice.paid), or your own body, to your URL, signed with your secret. No Stripe account.

    Exit code 0 for a 2xx answer, 1 for another, 3 for none.
    """
    if (event is None) == (body is None):
        raise ConfigurationError("give either an event type or --body FILE", hint="payproof events lists the types")
    if body is not None and settings:
        raise ConfigurationError("--set changes made-up events only", hint="a --body is delivered as it is")
    exchange = deliver_once(
        url,
        secret=_secret(secret_env),
        type_=event,
        body=None if body is None else _body(body),
        values=dict(map(_setting, settings)),
        signature=signature,
        api_version=api_version,
        livemode=livemode,
        seed=seed,
        ca_file=ca_file,
        answer_within=timeout,
    )
    click.echo(
        f"sent      {exchange.sent.method} {exchange.sent.url}, {exchange.sent.length:,} bytes: {exchange.sent.note}"
    )
    match exchange.answer:
        case Answer(status=status, body=text, seconds=seconds):
            click.echo(f"answered  {status} in {seconds * 1000:.0f} ms\n{printable(text)}")
            return ExitCode.HELD if status in _SUCCESS else ExitCode.BROKEN
        case NoAnswer(reason=reason, detail=detail):
            click.echo(f"{reason.value}: {detail}", err=True)
            return ExitCode.UNKNOWN


@cli.command()
@click.option("--secret-env", required=True, metavar="NAME", help="Variable that holds the signing secret.")
@click.option("--header", required=True, help="The Stripe-Signature header's value.")
@click.option("--body", required=True, type=click.Path(path_type=Path), help="File of the raw body; - is stdin.")
@click.option("--at", type=int, help="Unix time at which the header was received; now without it.")
@click.option("--tolerance", type=click.IntRange(0), default=300, show_default=True, help="Seconds.")
def verify(secret_env: str, header: str, body: Path, at: int | None, tolerance: int) -> int:
    """Say whether a signature verifies, and if not, why not. Exit code 0 when it does, 1 when not."""
    now = int(time.time()) if at is None else at
    diagnosis = diagnose(_body(body), header, _secret(secret_env).reveal(), now=now, tolerance=tolerance)
    click.echo("the signature verifies" if diagnosis.verifies else "the signature does not verify")
    for reason in diagnosis.reasons:
        click.echo(f"  {reason}")
    return ExitCode.HELD if diagnosis.verifies else ExitCode.BROKEN


@cli.command()
@click.option("--api-version", help="Of this API version; the newest without it.")
def events(api_version: str | None) -> None:
    """List the event types that can be made up."""
    factory = event_factory(0)
    for name in factory.types(api_version or factory.versions()[-1]):
        click.echo(name)


@cli.command()
def signatures() -> None:
    """List the ways to sign and to forge."""
    for forgery in FORGERIES.values():
        click.echo(f"{forgery.name:<44} {forgery.summary}")


cli.add_command(scan)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process with its exit code; what is wrong is one line on standard error."""
    # A CI server that cancels sends SIGTERM: it ends the run as Ctrl-C does, with footers, and leaves nothing behind.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="payproof", standalone_mode=False)
    except click.UsageError as error:
        problem, code = error.format_message(), ExitCode.USAGE
    except ConfigurationError as error:
        problem, code = str(error), ExitCode.USAGE
    except (InconclusiveError, TargetStartError, PayproofError) as error:
        problem, code = str(error), ExitCode.UNKNOWN
    except (KeyboardInterrupt, click.Abort):
        problem, code = "interrupted", ExitCode.INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has seen enough: click and rich end the process then, with a status that would mean
        # a broken rule. Without a new place for the rest of the output the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 (our own fault says nothing about the target; its text could hold anything)
        problem, code = f"{Reason.HARNESS_FAULT.value}: {place_of(error)}", ExitCode.UNKNOWN
    else:
        return code or ExitCode.HELD
    click.echo(f"payproof: {problem}", err=True)
    return code
