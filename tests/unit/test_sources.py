import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest

from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.sources.file import open_log
from payproof.sources.sqlite import open_store


@pytest.fixture
def database(tmp_path):
    """A database with a table, and a connection that writes to it."""
    path = tmp_path / "billing.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, amount INTEGER)")
    yield connection, path
    connection.close()


@contextlib.contextmanager
def opened(path, **more):
    """Open a store and close it."""
    store = open_store(SourceSpec("database", f"sqlite:{path}", **more))
    try:
        yield store
    finally:
        asyncio.run(store.close())


def test_tables_of_sqlite_itself_are_not_watched(database):
    """What SQLite keeps for itself is none of the target's state."""
    connection, path = database
    connection.execute("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    with opened(path) as store:
        assert asyncio.run(store.snapshot((), None)).tables.keys() == {"events", "numbered"}


def test_store_is_read_only(database):
    """The harness cannot write to a target's database."""
    _, path = database
    with opened(path) as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("INSERT INTO events VALUES ('x', 1)")


_WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
print(connection.execute("PRAGMA journal_mode = " + sys.argv[2]).fetchone()[0], flush=True)
for number in range(60):
    connection.execute("BEGIN IMMEDIATE")
    for table in ("one", "two"):
        connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (number, "x" * 2000))
    connection.execute("COMMIT")
    time.sleep(0.02)
"""


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_looks_keep_no_writer_out(tmp_path, mode):
    """A target that does not wait for locks writes while it is watched, and each look sees whole transactions."""
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE one (id, text); CREATE TABLE two (id, text)")
        for number in range(400):
            connection.execute("INSERT INTO one VALUES (?, 'before')", (number,))
            connection.execute("INSERT INTO two VALUES (?, 'before')", (number,))
        connection.commit()
    command = [sys.executable, "-c", _WRITER, str(path), mode]
    sizes = set()
    with opened(path) as store:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline().strip() == mode
            while writer.poll() is None:
                tables = asyncio.run(store.snapshot((), None)).tables
                assert sum(tables["one"].values()) == sum(tables["two"].values())
                sizes.add(sum(tables["one"].values()))
            assert (writer.returncode, writer.stderr.read()) == (0, "")
        assert sum(asyncio.run(store.snapshot((), None)).tables["one"].values()) == 460
    assert len(sizes) > 1


def test_store_that_is_not_there(tmp_path):
    """A database that is not there is refused and not made."""
    with pytest.raises(ConfigurationError, match="there is no SQLite database at"):
        open_store(SourceSpec("s", f"sqlite:{tmp_path}/none.db"))
    assert list(tmp_path.iterdir()) == []


def test_store_that_goes_bad(tmp_path):
    """A database that cannot be read is unknown, not empty."""
    path = tmp_path / "bad.db"
    path.write_bytes(b"x" * 8192)
    with opened(path) as store, pytest.raises(InconclusiveError) as raised:
        asyncio.run(store.snapshot((), None))
    assert raised.value.reason is Reason.SOURCE_UNREADABLE


@pytest.fixture
def log(tmp_path):
    """A log file, and what opens it."""
    path = tmp_path / "billing.log"
    path.write_bytes(b"before\n")
    return path, open_log(SourceSpec("log", f"file:{path}"))


def since(source, position):
    """Return the lines written after a position."""

    async def read():
        return [block.data async for block in source.since(position)]

    return asyncio.run(read())


def test_log_from_a_position(log):
    """Only lines written after the position are read, whatever bytes they hold, the last one unfinished or not."""
    path, source = log
    position = asyncio.run(source.position())
    assert since(source, position) == []
    with path.open("ab") as file:
        file.write(b"one\n\xff\xfe two\nunfinished")
    assert since(source, position) == [b"one", b"\xff\xfe two", b"unfinished"]


def test_rotated_log(log):
    """Where a log was rotated, the rest of the old file is read before the new one: no line goes unseen."""
    path, source = log
    position = asyncio.run(source.position())
    with path.open("ab") as file:
        file.write(b"late in the old file\n")
    path.rename(path.with_name("billing.log.1"))
    path.write_bytes(b"first in the new file\n")
    assert since(source, position) == [b"late in the old file", b"first in the new file"]


@pytest.mark.parametrize("how", ["gone", "cut", "removed"])
def test_log_that_lost_lines_is_unknown(log, tmp_path, how):
    """Where lines may have been lost unread, the log is unreadable, and its silence proves nothing."""
    path, source = log
    position = asyncio.run(source.position())
    if how == "cut":
        path.write_bytes(b"")
    else:
        path.rename(tmp_path.parent / f"{tmp_path.name}.elsewhere")
        if how == "gone":
            path.write_bytes(b"new\n")
    with pytest.raises(InconclusiveError) as raised:
        since(source, position)
    assert raised.value.reason is Reason.SOURCE_UNREADABLE


def test_log_that_floods(log):
    """More than 64 MiB in one step is not read into memory."""
    path, source = log
    position = asyncio.run(source.position())
    os.truncate(path, 65 * 1024 * 1024)
    with pytest.raises(InconclusiveError, match="more than 64 MiB"):
        since(source, position)


def test_log_that_is_not_there(tmp_path):
    """A log that is not there is refused when the run begins."""
    with pytest.raises(ConfigurationError, match="No such file"):
        open_log(SourceSpec("l", f"file:{tmp_path}/none.log"))
