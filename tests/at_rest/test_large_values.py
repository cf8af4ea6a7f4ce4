"""Values of a database that are larger than memory should be: read in parts, in bounded memory, or named."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead
from payproof.domain.tables import CELL, OVERLAP
from tests.at_rest.made import PAN
from tests.components import need
from tests.postgresql import wheel
from tests.servers import mariadb

MIB = 1024 * 1024
SIZE = 48 * MIB
MOST_MEMORY = 200 * 1024  # KiB

#: Prints the process's largest memory in KiB, and the leaks by place, after a search of all that it is given.
PROGRAM = """
import os, sys
from collections import Counter
from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import NotRead, Leak
told = list(search(read_specs(sys.argv[1:], os.environ), Options()))
lines = open('/proc/self/status').read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))
for place, count in sorted(Counter((one.place.field, one.place.key) for one in told if isinstance(one, Leak)).items()):
    print(*place, count)
for one in told:
    if isinstance(one, NotRead):
        print('not read:', one.why)
"""


def large(filler: bytes = b"nothing in it \n") -> bytes:
    """Return a value with three numbers: at its beginning, over the end of a part, and at its end."""
    number = f" card_number={PAN} ".encode()
    value = bytearray(filler * (SIZE // len(filler) + 1))[:SIZE]
    for start in (0, CELL - OVERLAP + CELL - 20, SIZE - len(number)):
        value[start : start + len(number)] = number
    return bytes(value)


def looked_through(*sources: str) -> list[str]:
    """Search sources in a process of its own, hold its memory to the bound, and return what it told."""
    need("/proc", Path("/proc/self/status").exists())
    done = subprocess.run([sys.executable, "-c", PROGRAM, *sources], capture_output=True, text=True, check=True)
    memory, *told = done.stdout.splitlines()
    assert int(memory) < MOST_MEMORY, done.stdout
    assert PAN not in done.stdout
    return told


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A SQLite database."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        yield connection


@pytest.mark.thorough
@pytest.mark.parametrize("key", ["id INTEGER PRIMARY KEY", "id TEXT PRIMARY KEY", "id INTEGER"])
def test_large_values_of_sqlite(tmp_path, database, key):
    """Texts and bytes of any size are searched to their ends, and the rows around them as well."""
    database.execute(f"CREATE TABLE t ({key}, note TEXT, data BLOB, num)")
    rows = [(1, "x", b"y", int(PAN)), (2, large().decode(), large(), int(PAN)), (3, f"card_number={PAN}", None, 3.5)]
    database.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    name = "rowid" if key == "id INTEGER" else "id"
    # Of numbers that are masked alike in one column and row, one is told.
    expected = [f"data {name}=2 1", f"note {name}=2 1", f"note {name}=3 1", f"num {name}=1 1", f"num {name}=2 1"]
    assert looked_through(f"sqlite:{tmp_path}/a.db") == expected


@pytest.mark.parametrize("at", [0, CELL - 20, CELL - OVERLAP, 2 * (CELL - OVERLAP) - 7, 3 * MIB - 40])
def test_number_anywhere_in_a_large_value_is_found(tmp_path, database, at):
    """No end of a part cuts a number."""
    number = f" card_number={PAN} ".encode()
    value = bytearray(b"-" * 3 * MIB)
    value[at : at + len(number)] = number
    database.execute("CREATE TABLE t (data BLOB)")
    database.execute("INSERT INTO t VALUES (?)", (bytes(value),))
    told = list(search(read_specs([f"sqlite:{tmp_path}/a.db"], {}), Options()))
    assert [one.kind for one in told if isinstance(one, Leak)] == ["pan"]


def test_large_value_without_a_way_to_it_is_named(tmp_path, database):
    """Of a table whose rows have no number of SQLite's own, the row and those behind it are told as not read."""
    database.execute("CREATE TABLE t (id TEXT PRIMARY KEY, note TEXT) WITHOUT ROWID")
    database.executemany("INSERT INTO t VALUES (?, ?)", [("1", f"card_number={PAN}"), ("2", "-" * 2 * MIB)])
    database.execute("CREATE TABLE u (note TEXT)")
    database.execute("INSERT INTO u VALUES (?)", (f"card_number={PAN}",))
    told = list(search(read_specs([f"sqlite:{tmp_path}/a.db"], {}), Options()))
    assert ["larger than 1,048,576 bytes" in one.why for one in told if isinstance(one, NotRead)] == [True]
    assert "u" in {one.place.table for one in told if isinstance(one, Leak)}


def test_sampled_large_value_is_named(tmp_path, database):
    """A sample that comes upon a large value says that it was not read."""
    database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
    database.executemany("INSERT INTO t (note) VALUES (?)", [("x",), ("-" * 2 * MIB,), *[("y",)] * 20])
    told = list(search(read_specs([f"sqlite:{tmp_path}/a.db"], {}), Options(rows=10)))
    assert [one.place.table for one in told if isinstance(one, NotRead)] == ["t"]


@pytest.mark.thorough
def test_large_values_of_postgresql():
    """Texts, bytes and JSON of any size are searched to their ends, with a key, without one, and in partitions."""
    with wheel() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE t (id int PRIMARY KEY, note text, data bytea, j jsonb, k json)")
            text = large().decode()
            small, long = f'{{"card_number": "{PAN}"}}', f'{{"a": "{text.replace(chr(10), " ")}"}}'
            for row in ((1, f"card_number={PAN}", None, small, small), (2, text, large(), long, long)):
                connection.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", row)
            connection.execute("CREATE TABLE u (id int, note text) PARTITION BY LIST (id)")
            connection.execute("CREATE TABLE u1 PARTITION OF u DEFAULT")
            connection.execute("INSERT INTO u VALUES (1, %s), (2, 'x')", (text,))
        told = looked_through(url)
    places = {line.rsplit(" ", 1)[0] for line in told}
    assert places >= {"note id=1", "j id=1", "k id=1", "note id=2", "data id=2", "j id=2", "k id=2"}
    assert {line.split("=")[0] for line in places - {"j.card_number ", "k.card_number "}} >= {"note ctid"}
    assert not [line for line in told if line.startswith("not read")]


@pytest.mark.thorough
def test_large_values_of_mariadb():
    """Texts, bytes and JSON of any size are searched to their ends; without a key their beginnings, which is told."""
    with mariadb() as url:
        parts = urlsplit(url)
        login = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
        with pymysql.connect(**login, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL max_allowed_packet = 1073741824")
        login |= {"max_allowed_packet": 2**30}
        with pymysql.connect(**login, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE b")
            cursor.execute("CREATE TABLE b.t (id VARCHAR(9) PRIMARY KEY, `no%te` LONGTEXT, data LONGBLOB, j JSON)")
            text = large().decode()
            long = f'{{"a": "{text.replace(chr(10), " ")}"}}'
            cursor.execute("INSERT INTO b.t VALUES ('a', 'x', 'y', %s)", (f'{{"card_number": "{PAN}"}}',))
            cursor.execute("INSERT INTO b.t VALUES ('b', %s, NULL, NULL)", (text,))
            cursor.execute("INSERT INTO b.t VALUES ('c', NULL, %s, NULL)", (large(),))
            cursor.execute("INSERT INTO b.t VALUES ('d', NULL, NULL, %s)", (long,))
            cursor.execute("CREATE TABLE b.u (note LONGTEXT)")
            cursor.execute("INSERT INTO b.u VALUES (%s)", (f"card_number={PAN} " + "-" * 2 * MIB,))
        told = looked_through(f"{url}b")
    places = {line.rsplit(" ", 1)[0] for line in told if not line.startswith("not read")}
    assert places == {"j id=a", "j.card_number ", "no%te id=b", "data id=c", "j id=d", "note row 1"}
    assert [line for line in told if line.startswith("not read")] == [
        "not read: of 1 values larger than 1,048,576 bytes only the beginning was read"
    ]
