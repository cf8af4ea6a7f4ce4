"""Durable events per second of the reference service beside the smallest honest FastAPI handler, in the same run.

The peer verifies and enters an event's id; the service verifies, enters the event, applies it, and records receipt and
effect in the audit log. Both answer after the commit, and both databases wait for the disk.
"""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psycopg
from rich.table import Table

from tests.benchmarks._contenders import PEER, SERVICE, Certificate, Running, started
from tests.benchmarks._signed_load import Signed, Turn
from tests.postgresql import wheel
from tests.reference_impl.databases import OWNER as OWNER_ROLE
from tests.reference_impl.databases import SERVICE as SERVICE_ROLE
from tests.reference_impl.databases import Database, Postgresql, sqlite

__all__ = ["databases", "service"]

_CONNECTIONS = (1, 32)


def service(
    kinds: Sequence[str] = ("sqlite", "postgresql"), rounds: int = 5, seconds: int = 2, starts: int = 3
) -> list[Table]:
    """Measure both on each database, in turns of whole seconds, as wrk knows no others.

    Service and peer take turns and change places, so that a slow moment of the machine falls on both.
    """
    secret = "whsec_" + secrets.token_hex(16)
    signed = Signed(secret)
    rest, rates = _rest_table(starts), _rate_table(signed, rounds, seconds)
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="payproof-bench-") as name, ExitStack() as stack:
            addresses = stack.enter_context(databases(kind, Path(name)))
            files = Certificate.made(Path(name))
            pair = {}
            for contender, address in addresses.items():
                log = Path(name, "said.log")
                seen = []
                for _ in range(starts - 1):
                    with started(contender, address, secret, files, log) as running:
                        seen.append(running)
                pair[contender] = stack.enter_context(started(contender, address, secret, files, log))
                _tell_rest(rest, kind, [*seen, pair[contender]])
            for connections in _CONNECTIONS:
                _tell_rates(rates, kind, connections, _turns(pair, signed, connections, rounds, seconds))
    return [rest, rates]


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """Give each contender a database of its own; the service's is migrated."""
    with sqlite(folder) if kind == "sqlite" else _durable_postgresql() as server:
        yield {SERVICE: server.fresh().service, PEER: server.fresh(migrated=False).owner}


@contextmanager
def _durable_postgresql() -> Iterator[Database]:
    """Start a server that waits for the disk at every commit, which those of the tests do not."""
    with wheel() as address:
        server = Postgresql(address)
        server.run("ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
        server.run(*(f"""CREATE ROLE "{role}" LOGIN PASSWORD 'unused'""" for role in (OWNER_ROLE, SERVICE_ROLE)))
        with psycopg.connect(address) as connection:
            settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "full_page_writes")]
        if settings != [("on",), ("on",)]:
            raise RuntimeError("PostgreSQL does not wait for the disk")
        yield server


def _turns(
    pair: dict[str, Running], signed: Signed, connections: int, rounds: int, seconds: int
) -> dict[str, list[Turn]]:
    turns: dict[str, list[Turn]] = {contender: [] for contender in pair}
    for number in range(rounds):
        for contender, running in sorted(pair.items(), reverse=number % 2 == 1):
            before = running.durable()
            turn = signed.turn(running.port, connections, seconds)
            if running.durable() - before < turn.answered:
                raise RuntimeError(f"{contender}: answered {turn.answered} events and does not hold all of them")
            turns[contender].append(turn)
    return turns


def _rest_table(starts: int) -> Table:
    table = Table(title=f"at rest, median of {starts} starts", title_justify="left", box=None)
    for column in ("contender", "database", "first answer, s", "RSS, MiB", "PSS, MiB"):
        table.add_column(column, justify="left" if column in {"contender", "database"} else "right")
    return table


def _tell_rest(table: Table, kind: str, seen: list[Running]) -> None:
    figures = ("first_answer", "resident", "proportional")
    first, *memory = (median(getattr(running, figure) for running in seen) for figure in figures)
    table.add_row(seen[0].name, kind, f"{first:.2f}", *(f"{size:.0f}" for size in memory))


def _rate_table(signed: Signed, rounds: int, seconds: int) -> Table:
    table = Table(
        title=f"durable events per second over HTTPS, bodies of {len(signed.body):,} bytes, "
        f"median of {rounds} turns of {seconds} s; the aim is 80% of the peer",
        title_justify="left",
        box=None,
    )
    for column in ("contender", "database"):
        table.add_column(column)
    for column in ("connections", "per second", "of the peer", "p50, ms", "p99, ms", "slowest", "fastest"):
        table.add_column(column, justify="right")
    return table


def _tell_rates(table: Table, kind: str, connections: int, turns: dict[str, list[Turn]]) -> None:
    peer = median(turn.rate for turn in turns[PEER])
    for contender, seen in turns.items():
        rates = [turn.rate for turn in seen]
        table.add_row(
            contender,
            kind,
            str(connections),
            f"{median(rates):,.0f}",
            f"{median(rates) / peer:.0%}",
            f"{median(turn.p50 for turn in seen):.1f}",
            f"{median(turn.p99 for turn in seen):.1f}",
            f"{min(rates):,.0f}",
            f"{max(rates):,.0f}",
        )
