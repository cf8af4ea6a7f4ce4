"""The command ``payproof replay``: recorded events at a rate, without anybody's data in them."""

import sys
import time
from pathlib import Path

import click

from payproof.cli.every_command import Seed, show_examples
from payproof.cli.signing_secret import read_signing_secret
from payproof.domain.verdict import ExitCode
from payproof.reporters.phrasing import printable
from payproof.session import Playback, replay_events

__all__ = ["replay"]

_SHOWN = 10
_TELL_SECONDS = 5.0


class _Progress:
    """Tells at a terminal how far a long replay has come."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _TELL_SECONDS
        self._is_seen = sys.stderr.isatty()

    def tell(self, done: int, total: int) -> None:
        """Say it, some seconds after the last time."""
        if self._is_seen and time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_SECONDS
            click.echo(f"delivered {done:,} of {total:,}", err=True)


@click.command(
    epilog=show_examples(
        "payproof replay events.json --url http://localhost:8000/hook --secret-env SECRET",
        "payproof replay events.jsonl --url http://localhost:8000/hook --secret-env SECRET --shuffle --duplicate 0.1",
    )
)
@click.argument("events", type=click.Path(path_type=Path))
@click.option("--url", required=True, help="Where to deliver.")
@click.option("--secret-env", required=True, metavar="NAME", help="Variable that holds the signing secret.")
@click.option("--rate", type=click.FloatRange(0), default=0, help="Deliveries per second at most; 0 is no limit.")
@click.option("--connections", type=click.IntRange(1, 256), default=8, show_default=True, help="At the same time.")
@click.option("--shuffle", is_flag=True, help="Change the order, among a thousand events each.")
@click.option("--duplicate", type=click.FloatRange(0, 1), default=0, help="Share of events that come twice.")
@click.option("--fresh-signatures", is_flag=True, help="Sign what comes twice anew, as Stripe does.")
@click.option("--seed", type=Seed(), help="The same order and duplicates again.")
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds.")
def replay(
    events: Path,
    url: str,
    secret_env: str,
    rate: float,
    connections: int,
    duplicate: float,
    seed: int | None,
    ca_file: str | None,
    timeout: float,
    *,
    shuffle: bool,
    fresh_signatures: bool,
) -> int:
    """Deliver the events of a file, as `stripe events list` writes it, to your URL, signed with your secret.

    Names, addresses, card and bank details, secrets and whatever looks like them are replaced before anything is sent;
    ids stay. Exit code 0 where every delivery was answered 2xx, 1 for another answer, 3 where one got none.
    """
    how = Playback(rate, connections, duplicate, shuffle, fresh_signatures, time.time_ns() if seed is None else seed)
    told = replay_events(
        events,
        url,
        how,
        secret=read_signing_secret(secret_env),
        ca_file=ca_file,
        answer_within=timeout,
        progress=_Progress().tell,
    )
    half, most, nearly_all = (1000 * told.find_percentile(percent) for percent in (50, 95, 99))
    answers = ", ".join(f"{times:,} x {answer}" for answer, times in told.answers.most_common())
    rate = told.deliveries / told.seconds
    click.echo(f"delivered {told.events:,} events in {told.deliveries:,} deliveries, {rate:,.0f} per second")
    click.echo(f"answered  {answers}")
    click.echo(f"within    {half:.0f}, {most:.0f} and {nearly_all:.0f} ms (50, 95 and 99 %)")
    for line in told.refused[:_SHOWN]:
        click.echo(f"refused   {printable(line)}")
    if len(told.refused) > _SHOWN:
        click.echo(f"          and {sum(told.answers.values()) - told.accepted - _SHOWN:,} more")
    if any(not answer.isdecimal() for answer in told.answers):
        return ExitCode.UNKNOWN
    return ExitCode.HELD if told.accepted == told.deliveries else ExitCode.BROKEN
