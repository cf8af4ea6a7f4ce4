"""A burst of many events on the reference service: how fast it goes, and whether each has its effect once."""

import json
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.table import Table
from sqlalchemy import text

from payproof.domain.sensitive import Secret
from payproof.session import Playback, event_factory, replay_events
from payproof.session.replaying import Replayed
from payproof_reference.database.engine import open_database
from tests.benchmarks._contenders import SERVICE, Certificate, Running, started
from tests.benchmarks._service import databases
from tests.benchmarks._signed_load import Signed

__all__ = ["burst"]

_CONNECTIONS = 32
_TWICE = 0.1
_WRK_SECONDS = 5
#: The types of the events, in the order in which they come for one object, and the table that it has a row in.
_TYPES = (
    ("customer.subscription.created", "subscriptions"),
    ("customer.subscription.updated", "subscriptions"),
    ("invoice.paid", "invoices"),
    ("charge.dispute.created", "disputes"),
    ("checkout.session.completed", "checkout_sessions"),
)
_CANARIES = ("address", "client_secret", "description", "email", "metadata", "name", "phone")
_OLDER, _NEWER = "incomplete", "active"
_ID = re.compile(r'"([a-z]{2,6}(?:_test)?_)([A-Za-z0-9]{14,})"')


def burst(events: int = 10_000, kinds: Sequence[str] = ("sqlite", "postgresql")) -> tuple[list[Table], list[str]]:
    """Return how fast the service takes so many events, and a line for whatever was lost or applied twice.

    They are of several types, shuffled, one in ten comes twice; two are about one subscription, the newer of which
    may come first. Beside it wrk sends the same service events of one type, made and signed beforehand.
    """
    table = Table(title=_title(events), title_justify="left", box=None)
    for column in (
        "database",
        "deliveries",
        "per second",
        "of wrk",
        "p50, ms",
        "p95, ms",
        "p99, ms",
        "wrk, per second",
    ):
        table.add_column(column, justify="left" if column == "database" else "right")
    failed: list[str] = []
    secret = "whsec_" + secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="payproof-bench-") as name:
        file = Path(name, "events.jsonl")
        with file.open("w") as lines:
            lines.writelines(_make_lines(events))
        for kind in kinds:
            folder = Path(name, kind)
            folder.mkdir()
            with ExitStack() as stack:
                address = stack.enter_context(databases(kind, folder))[SERVICE]
                files = Certificate.made(folder)
                running = stack.enter_context(started(SERVICE, address, secret, files, folder / "said.log"))
                told = replay_events(
                    file,
                    f"https://127.0.0.1:{running.port}/webhooks/stripe",
                    Playback(0, _CONNECTIONS, _TWICE, shuffle=True, fresh_signatures=True, seed=1),
                    secret=Secret("webhook secret", secret),
                    ca_file=str(files.authority),
                )
                failed += [f"{kind}: {line}" for line in _find_faults(running, events, told)]
                beside = Signed(secret).turn(running.port, _CONNECTIONS, _WRK_SECONDS).rate
            rate = told.deliveries / told.seconds
            within = [f"{1000 * told.find_percentile(percent):.0f}" for percent in (50, 95, 99)]
            table.add_row(
                kind, f"{told.deliveries:,}", f"{rate:,.0f}", f"{rate / beside:.0%}", *within, f"{beside:,.0f}"
            )
    return [table], failed


def _title(events: int) -> str:
    return (
        f"a burst of {events:,} events of {len(_TYPES)} types, shuffled, {_TWICE:.0%} of them twice, over "
        f"{_CONNECTIONS} connections by payproof replay"
    )


def _make_lines(events: int) -> Iterator[str]:
    """Yield events as Stripe exports them, one a line; those of a round have objects of their own."""
    factory, now = event_factory(1), int(time.time())
    templates = []
    for place, (type_, _) in enumerate(_TYPES):
        made = factory.make(
            type_,
            api_version=factory.versions()[-1],
            now=now - len(_TYPES) + place,
            canaries=dict.fromkeys(_CANARIES, "benchmark"),
            key=type_,
        )
        body = json.loads(made.encode())
        if (status := {0: _OLDER, 1: _NEWER}.get(place)) is not None:
            body["data"]["object"]["status"] = status
        templates.append(_ID.split(json.dumps(body)))
    # The two about a subscription name the same one.
    first, second = templates[:2]
    of_second = dict(zip(second[1::3], second[2::3], strict=True))
    first[2::3] = [
        known if of == "evt_" else of_second.get(of, known) for of, known in zip(first[1::3], first[2::3], strict=True)
    ]
    for number in range(events):
        turn, place = divmod(number, len(templates))
        parts = templates[place]
        texts = parts[0::3]
        ids = [f'"{of}{turn:08d}{known[8:]}"' for of, known in zip(parts[1::3], parts[2::3], strict=True)]
        yield "".join(one for pair in zip(texts, [*ids, "\n"], strict=True) for one in pair)


def _find_faults(running: Running, events: int, told: Replayed) -> Iterator[str]:
    """Yield what was refused, lost or done twice, by the service's own tables."""
    if told.accepted != told.deliveries:
        yield f"{told.deliveries - told.accepted} deliveries were not accepted: {dict(told.answers)}"
    engine = open_database(running.address)
    try:
        with engine.connect() as connection:

            def count(what: str) -> int:
                return int(connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one())

            due = {"inbox": events}
            for place, (_, table) in enumerate(_TYPES):
                due[table] = len(range(place, events, len(_TYPES))) if place else 0
            due[f"subscriptions WHERE status = '{_NEWER}'"] = due["subscriptions"]
            due["audit_log WHERE event = 'webhook_received'"] = events
            due["audit_log WHERE event = 'webhook_duplicate'"] = told.deliveries - events
            for what, expected in due.items():
                if (found := count(what)) != expected:
                    yield f"{what}: {found:,} rows, expected {expected:,}"
    finally:
        engine.dispose()
