"""The commands ``payproof deliver`` and ``payproof verify``: one event, one signature, no target file."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from payproof.cli.completion import complete_events, complete_signatures
from payproof.cli.every_command import Seed, show_examples
from payproof.cli.signing_secret import read_signing_secret
from payproof.domain.documents import read_json
from payproof.domain.observation import Answer, NoAnswer
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.reporters.phrasing import printable
from payproof.session import deliver_once
from payproof.stripe.signature import diagnose

__all__ = ["deliver", "verify"]

_SUCCESS = range(200, 300)
_MOST_LINES, _WIDEST = 20, 200  # of a body: about a screen


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


def _screen(text: str) -> str:
    """Return at most a screen of a text, and how long it is where that is less than all of it."""
    lines = text.splitlines()
    shown = [line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…" for line in lines[:_MOST_LINES]]
    return text if shown == lines else "\n".join((*shown, f"(the beginning of {len(text):,} characters)"))


@click.command(
    epilog=show_examples(
        "payproof deliver invoice.paid --url http://localhost:8000/hook --secret-env SECRET --set customer=cus_123",
        "payproof deliver invoice.paid --url http://localhost:8000/hook --secret-env SECRET --signature expired",
        "payproof deliver --body event.json --url http://localhost:8000/hook --secret-env SECRET",
    )
)
@click.argument("event", required=False, shell_complete=complete_events)
@click.option("--url", required=True, help="Where to deliver.")
@click.option("--secret-env", required=True, metavar="NAME", help="Variable that holds the signing secret.")
@click.option("--body", type=click.Path(path_type=Path), help="Deliver this file's bytes as they are; - is stdin.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Set a value of the event's object.")
@click.option("--age", type=click.IntRange(0), default=0, help="Seconds since the event was made: it comes late.")
@click.option(
    "--signature",
    default="valid",
    show_default=True,
    shell_complete=complete_signatures,
    help="How to sign or forge; `payproof signatures` lists the ways.",
)
@click.option("--api-version", help="Shape of the made-up event.")
@click.option("--livemode", is_flag=True, help="Make an event of live mode.")
@click.option("--seed", type=Seed(), help="Make the same event again.")
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds.")
def deliver(
    event: str | None,
    url: str,
    secret_env: str,
    body: Path | None,
    settings: Sequence[str],
    age: int,
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
    if body is not None and (settings or age):
        raise ConfigurationError("--set and --age change made-up events only", hint="a --body is delivered as it is")
    exchange = deliver_once(
        url,
        secret=read_signing_secret(secret_env),
        type_=event,
        body=None if body is None else _body(body),
        values=dict(map(_setting, settings)),
        age=age,
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
            click.echo(f"answered  {status} in {seconds * 1000:.0f} ms\n{_screen(printable(text))}")
            return ExitCode.HELD if status in _SUCCESS else ExitCode.BROKEN
        case NoAnswer(reason=reason, detail=detail):
            click.echo(f"{reason.value}: {detail}", err=True)
            return ExitCode.UNKNOWN


@click.command(
    epilog=show_examples("payproof verify --secret-env SECRET --body raw.json --header 't=1764485938,v1=5257a869...'")
)
@click.option("--secret-env", required=True, metavar="NAME", help="Variable that holds the signing secret.")
@click.option("--header", required=True, help="The Stripe-Signature header's value.")
@click.option("--body", required=True, type=click.Path(path_type=Path), help="File of the raw body; - is stdin.")
@click.option("--at", type=int, help="Unix time at which the header was received; now without it.")
@click.option("--tolerance", type=click.IntRange(0), default=300, show_default=True, help="Seconds.")
def verify(secret_env: str, header: str, body: Path, at: int | None, tolerance: int) -> int:
    """Say whether a signature verifies, and if not, why not. Exit code 0 when it does, 1 when not."""
    now = int(time.time()) if at is None else at
    diagnosis = diagnose(_body(body), header, read_signing_secret(secret_env).reveal(), now=now, tolerance=tolerance)
    click.echo("the signature verifies" if diagnosis.verifies else "the signature does not verify")
    for reason in diagnosis.reasons:
        click.echo(f"  {reason}")
    return ExitCode.HELD if diagnosis.verifies else ExitCode.BROKEN
