"""The command ``payproof reconcile``: what Stripe knows, and what never arrived in the target's rows."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.cli.signing_secret import read_api_key
from payproof.domain.reconciliation import KINDS, Agreement, RecordKind
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.reporters.phrasing import one_line, printable
from payproof.session import Reconciliation, reconcile_rows, target_or_reference

__all__ = ["reconcile"]

_SHOWN = 20
_NAMED = 3


@click.command(
    epilog=show_examples(
        "payproof reconcile --events events.jsonl",
        "payproof reconcile --key-env STRIPE_TEST_KEY --since 2026-11-01 --target staging.toml",
        "payproof reconcile --events events.jsonl --kind payment --kind subscription",
    )
)
@click.option("--target", type=click.Path(path_type=Path), help="Target file with its stores; without it as for run.")
@click.option("--events", type=click.Path(path_type=Path), help="Events, as `stripe events list` writes them.")
@click.option("--key-env", metavar="NAME", help="Variable with a key of Stripe's test mode: its lists are read.")
@click.option("--stripe", metavar="URL", default="", help="Another server that answers for Stripe, such as a mock.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="From when on, in UTC.")
@click.option(
    "--grace", type=click.IntRange(0), default=300, show_default=True, help="Seconds that a change may be under way."
)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this; may be given again.")
def reconcile(
    target: Path | None,
    events: Path | None,
    key_env: str | None,
    stripe: str,
    since: datetime | None,
    grace: int,
    kinds: tuple[RecordKind, ...],
) -> int:
    """Compare what Stripe knows with the target's rows, and name what never arrived or differs.

    Payments, refunds and subscriptions are compared, by an export of events or by Stripe's API; nothing is sent to the
    target. Exit code 0 where all agree, 1 where something is missing or differs, 3 where nothing could be compared.
    """
    if sum(map(bool, (events, key_env, stripe))) != 1:
        hint = "--events FILE, --key-env NAME for Stripe's test mode, or --stripe URL"
        raise ConfigurationError("one place must be named that knows what Stripe knows", hint=hint)
    chosen = target_or_reference(target=target, reference=False)
    assert chosen is not None, "only the reference service has no file"
    asked = Reconciliation(
        kinds or KINDS,
        0 if since is None else int(since.replace(tzinfo=UTC).timestamp()),
        int(time.time()) - grace,
        events,
        read_api_key(key_env) if key_env else None,
        stripe,
    )
    agreements = reconcile_rows(chosen, asked)
    for agreement in agreements:
        _tell(agreement)
    if any(one.divergences for one in agreements):
        return ExitCode.BROKEN
    known = [one for one in agreements if one.known]
    return ExitCode.HELD if known and all(one.is_judged for one in known) else ExitCode.UNKNOWN


def _tell(agreement: Agreement) -> None:
    kind = f"{agreement.kind}s"
    if not agreement.known:
        click.echo(f"{kind:13}  none at Stripe")
        return
    recent = f", {agreement.recent:,} too recent" if agreement.recent else ""
    click.echo(f"{kind:13}  {agreement.known:,} at Stripe, {agreement.shown:,} in rows{recent}")
    if not agreement.is_judged:
        click.echo(f"{'':13}  NOT COMPARED: no row names one by its id; --kind chooses the others")
        return
    if agreement.places:
        click.echo(f"{'':13}  named in {_list(agreement.places)}")
    nothing = "nothing: no column says what Stripe says (mirrors of [contract] names some)"
    click.echo(f"{'':13}  compared: {_list(agreement.compared) or nothing}")
    for one in agreement.divergences[:_SHOWN]:
        at = datetime.fromtimestamp(one.record.changed, UTC)
        click.echo(f"  {one.record.id}  {one_line(printable(one.told))} ({at:%Y-%m-%d %H:%M})")
    if len(agreement.divergences) > _SHOWN:
        click.echo(f"  and {len(agreement.divergences) - _SHOWN:,} more")


def _list(places: tuple[str, ...]) -> str:
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return one_line(printable(", ".join(places[:_NAMED]) + more))
