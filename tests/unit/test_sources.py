import asyncio
import contextlib
import os
import sqlite3

import pytest

from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError, InconclusiveError, Reason
from harness.sources.file import open_log
from harness.sources.sqlite import open_store


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


def snapshot(store, ids=(), before=None):
    """Take a store's state."""
    return asyncio.run(store.snapshot(ids, before))


def rows(state, table="events"):
    """Return how many rows of a table a snapshot has counted."""
    return sum(state.tables[table].values())


def test_rows_are_counted_and_fresh_ones_shown(database):
    """A snapshot counts rows by their content; against an earlier one it shows what is new, column by column."""
    connection, path = database
    connection.execute("INSERT INTO events VALUES ('evt_1', 1)")
    with opened(path) as store:
        before = snapshot(store)
        assert (rows(before), before.fresh) == (1, ())
        connection.execute("INSERT INTO events VALUES ('evt_2', 2)")
        after = snapshot(store, (), before)
        assert rows(after) == 2
        assert [(block.where, block.data) for block in after.fresh] == [("table events", b"id: evt_2\namount: 2")]
        connection.execute("UPDATE events SET amount = 3 WHERE id = 'evt_1'")
        assert [block.data for block in snapshot(store, (), after).fresh] == [b"id: evt_1\namount: 3"]
        connection.execute("DELETE FROM events")
        assert rows(snapshot(store, (), after)) == 0


def test_second_look_at_an_unchanged_database_is_the_first(database):
    """While nobody has written, the state is the same object, and nothing is fresh."""
    connection, path = database
    connection.execute("INSERT INTO events VALUES ('evt_1', 1)")
    with opened(path) as store:
        first = snapshot(store)
        assert snapshot(store, ("evt_1",), first).tables is first.tables


def test_fresh_rows_are_shown_again(database):
    """Two looks against the same earlier state both show the new rows, though nothing changed between them."""
    connection, path = database
    with opened(path) as store:
        before = snapshot(store)
        connection.execute("INSERT INTO events VALUES ('evt_1', 1)")
        assert [len(snapshot(store, (), before).fresh) for _ in range(3)] == [1, 1, 1]


def test_equal_rows_are_counted_apart(tmp_path, database):
    """A row that is added twice is two rows."""
    connection, path = database
    connection.execute("CREATE TABLE audit (what TEXT)")
    with opened(path) as store:
        connection.execute("INSERT INTO audit VALUES ('same')")
        before = snapshot(store)
        connection.execute("INSERT INTO audit VALUES ('same')")
        after = snapshot(store, (), before)
        assert (rows(before, "audit"), rows(after, "audit")) == (1, 2)


@pytest.mark.parametrize("name", ["sqlitedata", 'odd "name"', "select", "ünïcode", "sqliteX"])
def test_every_table_is_watched(database, name):
    """No table is left out for its name, whatever it is, except SQLite's own."""
    connection, path = database
    quoted = '"' + name.replace('"', '""') + '"'
    connection.execute(f'CREATE TABLE {quoted} (id INTEGER PRIMARY KEY AUTOINCREMENT, "a ""b" BLOB)')
    with opened(path) as store:
        before = snapshot(store)
        connection.execute(f"INSERT INTO {quoted} VALUES (1, x'00ff')")
        after = snapshot(store, (), before)
    assert rows(after, name) == 1
    assert "sqlite_sequence" not in after.tables
    assert after.fresh[0].data == b'id: 1\na "b: \x00\xff'


@pytest.mark.parametrize("busy", [True, False])
def test_big_or_busy_table_is_judged_by_the_rows_with_ids(database, busy):
    """In a table that is big or busy only rows with the run's ids are read; of a big one the others are counted."""
    connection, path = database
    if not busy:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events VALUES (?, 0)", [(f"old_{n}",) for n in range(10_001)])
        connection.execute("COMMIT")
    with opened(path, busy=busy) as store:
        before = snapshot(store, ("evt_1",))
        connection.execute("INSERT INTO events VALUES ('of_others', 1)")
        others = snapshot(store, ("evt_1",), before)
        assert (others.tables == before.tables) == busy
        assert others.fresh == ()
        connection.execute("INSERT INTO events VALUES ('x evt_1 y', 1)")
        mine = snapshot(store, ("evt_1",), others)
        assert rows(mine) == rows(others) + 1
        assert [block.data for block in mine.fresh] == [b"id: x evt_1 y\namount: 1"]


def test_store_is_read_only(database):
    """The harness cannot write to a target's database."""
    _, path = database
    with opened(path) as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("INSERT INTO events VALUES ('x', 1)")


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
        snapshot(store)
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
