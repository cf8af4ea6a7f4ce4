import asyncio
import contextlib
import os
import sqlite3

import pytest

from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.fingerprint import Fingerprint
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


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_a_look_keeps_no_writer_out(tmp_path, monkeypatch, mode):
    """A target that does not wait for locks writes while the rows of a look are gone through, which are of one time."""
    path = tmp_path / "billing.db"
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.executescript("CREATE TABLE events (id TEXT); CREATE TABLE later (id TEXT)")
    add = Fingerprint.add

    def write_meanwhile(self, table, *given, **more):
        for name in ("events", "later"):
            connection.execute(f"INSERT INTO {name} (id) VALUES (?)", (f"while {table} is read",))
        add(self, table, *given, **more)

    with opened(path) as store:
        monkeypatch.setattr(Fingerprint, "add", write_meanwhile)
        during = asyncio.run(store.snapshot((), None)).tables
        monkeypatch.undo()
        after = asyncio.run(store.snapshot((), None)).tables
    connection.close()
    assert [sum(rows.values()) for rows in during.values()] == [0, 0]
    assert [sum(rows.values()) for rows in after.values()] == [2, 2]


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
