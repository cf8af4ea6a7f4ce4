"""A small billing system whose faults and slowness are parameters: it verifies, and applies events in SQLite."""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import stripe

from tests.end_to_end.command import SECRET
from tests.end_to_end.hostile import Peer, Received, Server, answer

__all__ = ["billing", "sources"]


def genuine(request: Received) -> bool:
    """Whether Stripe's SDK takes the signature."""
    try:
        header = (request.header("Stripe-Signature") or b"").decode()
        return bool(stripe.WebhookSignature.verify_header(request.body.decode(), header, SECRET, 300))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


@contextlib.contextmanager
def billing(folder: Path, *, delay: float = 0.0, forged_delay: float | None = None) -> Iterator[Server]:
    """Run it: what is genuine is applied ``delay`` seconds after the answer, what is forged never, or by its delay."""
    database, log = folder / "billing.db", folder / "billing.log"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT)")
    log.touch()
    late: list[threading.Thread] = []

    def apply(event: dict[str, str], seconds: float) -> None:
        time.sleep(seconds)
        with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")  # a busy disk would make an answer late
            connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event["id"], event["type"]))
        with log.open("a") as file:
            file.write(json.dumps({"event": "applied", "id": event["id"]}) + "\n")

    def behave(peer: Peer, request: Received) -> None:
        taken = genuine(request)
        seconds = delay if taken else forged_delay
        if seconds is not None and request.body.startswith(b"{"):
            event = json.loads(request.body)
            if seconds:
                late.append(threading.Thread(target=apply, args=(event, seconds)))
                late[-1].start()
            else:
                apply(event, 0)
        peer.send(answer(200 if taken else 401))

    with Server(behave) as server:
        yield server
    for thread in late:
        thread.join()


def sources(database: str = "billing.db", log: str = "billing.log", more: str = "") -> str:
    """Return the lines of a target file that name the database and the log."""
    return (
        f'[[stores]]\nname = "database"\nurl = "sqlite:{database}"\n{more}\n'
        f'[[logs]]\nname = "log"\nurl = "file:{log}"\n'
    )
