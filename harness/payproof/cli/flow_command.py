"""The command ``payproof flow``: one payment flow, told step by step."""

from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from payproof.cli.every_command import Seed, show_examples
from payproof.domain.observation import PERIOD_END, RowSeen
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.registry import nearest
from payproof.reporters.phrasing import one_line
from payproof.session import ActDone, all_flows, open_session, play_flow, target_or_reference

__all__ = ["flow"]

_MOST_ROWS = 6
_SILENT, _LONGEST_PREFIX = frozenset({"{time}", "{id}", "None", ""}), len("{sub_sched}")
_TOLD = {
    "subscription": "status",
    "invoice": "status",
    "charge": "status",
    "dispute": "status",
    "checkout.session": "status",
}


def _complete_flows(_context: click.Context, _parameter: click.Parameter, given: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=one.title) for name, one in all_flows().items() if name.startswith(given)]


@click.command(
    epilog=show_examples(
        "payproof flow --list", "payproof flow renewal_fails --reference", "payproof flow trial --target staging.toml"
    )
)
@click.argument("name", required=False, shell_complete=_complete_flows)
@click.option("--list", "listed", is_flag=True, help="List the flows.")
@click.option("--target", type=click.Path(path_type=Path), help="Target file; without it as for payproof run.")
@click.option("--reference", is_flag=True, help="Play on the reference service that comes with Payproof.")
@click.option("--seed", type=Seed(), help="Make the same ids again.")
def flow(name: str | None, target: Path | None, seed: int | None, *, listed: bool, reference: bool) -> int:
    """Play the payment flow NAME at Stripe's test clocks, deliver its events, and compare the target with Stripe.

    Exit code 0 where the target agrees with Stripe at each moment, 1 where not, 3 where nothing could be compared.
    """
    known = all_flows()
    if listed or name is None:
        width = max(map(len, known))
        for one in known.values():
            click.echo(f"{one.name:{width}}  {one.title}")
        return ExitCode.HELD
    if name not in known:
        raise ConfigurationError(f"there is no payment flow {name!r}", hint=nearest(name, known))
    chosen = target_or_reference(target=target, reference=reference)
    click.echo(f"{known[name].title} ({known[name].source})")
    compared = agreed = True
    with open_session(chosen, seed=seed, fuzzing=False) as session:
        session.require_acceptance()
        for done in play_flow(session, name):
            _tell(done)
            if done.moment:
                compared = compared and bool(done.compared)
                agreed = agreed and not done.differs
    if not agreed:
        return ExitCode.BROKEN
    return ExitCode.HELD if compared else ExitCode.UNKNOWN


def _tell(done: ActDone) -> None:
    at = datetime.fromtimestamp(done.at, UTC)
    click.echo(f"\n{at:%Y-%m-%d %H:%M}  {done.act.told}")
    things = [f"{one.kind} {one.read(_TOLD[one.kind])}" for one in done.state.things]
    if things:
        click.echo(f"  Stripe     {', '.join(_count(things))}")
    for answer, events in groupby(done.delivered, key=lambda one: one[1]):
        click.echo(f"  delivered  {', '.join(_count([type_ for type_, _ in events]))}: {answer}")
    ends = [one.read(PERIOD_END) or "" for one in done.state.find("subscription")]
    end = ends[-1] if ends else ""
    for line in _count([_write(row, end) for row in done.changed])[:_MOST_ROWS]:
        click.echo(f"  target     {one_line(line)}")
    if done.access:
        click.echo(f"  access     {one_line(done.access)}")
    if done.moment:
        verdict = "; ".join(done.differs) or (
            f"agrees with Stripe ({done.compared})" if done.compared else "nothing to compare with Stripe"
        )
        click.echo(f"= {done.moment}: {'DIFFERS: ' if done.differs else ''}{one_line(verdict)}")


def _write(row: RowSeen, end: str) -> str:
    """Return what a row says, but for ids, times and what it leaves open."""
    said = (f"{column} {_read(text, end)}" for column, text in row.cells if text not in _SILENT and not _is_id(text))
    return f"{row.table}: {', '.join(said) or 'a row'}"


def _read(text: str, end: str) -> str:
    """Return a cell's text, with the end of the period as a date."""
    if text != f"{{{PERIOD_END}}}" or not end.isdecimal():
        return text
    return f"{datetime.fromtimestamp(int(end), UTC):%Y-%m-%d %H:%M}"


def _is_id(text: str) -> bool:
    return text.startswith("{") and text.endswith("}") and len(text) <= _LONGEST_PREFIX


def _count(words: list[str]) -> list[str]:
    """Return words, each that comes several times in a row with its number."""
    counted = [(word, len([*group])) for word, group in groupby(words)]
    return [word if times == 1 else f"{times} times {word}" for word, times in counted]
