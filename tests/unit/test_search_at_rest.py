"""The search of all that a target keeps: what it finds, what it could not look at, and that it shows nothing."""

import gzip
import itertools
import re
import sqlite3
from contextlib import closing

import pyarrow as pa
import pytest
from pyarrow import parquet

from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.domain.observation import Channel
from payproof.domain.sensitive import Secret
from payproof.domain.target import Budget, Environment, SourceSpec, Target, Webhook
from payproof.engine.ports import WishList
from payproof.engine.search_at_rest import SearchAtRest
from payproof.engine.watching import Watch
from payproof.errors import InconclusiveError, Reason
from payproof.registry import table_sources
from payproof.scan.canaries import Canary
from payproof.scan.luhn import check_digit
from payproof.sources.sqlite.tables import SqliteTables

NUMBER = "400000" + "12345678" + "7"
NUMBER += check_digit(NUMBER)
CANARIES = [Canary("card number", "offered in metadata", NUMBER.encode())]
MARK = "evt_1abcdefghijklmnop"


@pytest.fixture
def database(tmp_path):
    """A SQLite database with a mark in it."""
    with closing(sqlite3.connect(tmp_path / "b.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, content)")
        connection.execute("INSERT INTO events VALUES (?, NULL)", (MARK,))
        yield connection


def searching(target, ledger):
    """Return what searches a target with SQLite."""
    finder = LocalLeakFinder(target.secrets)
    return SearchAtRest(target, open_tables=table_sources()["sqlite"], finder=finder, ledger=ledger)


@pytest.fixture
def search(tmp_path, request):
    """Search the database, a log and files."""
    environment = Environment.LOCAL
    ledger = Ledger()
    ledger.add("card number", "offered in metadata", NUMBER.encode())

    def searched(places, wish=None, **more):
        log = tmp_path / "service.log"
        log.touch()
        target = Target(
            name="t",
            url="https://t.example",
            environment=more.pop("environment", environment),
            webhook=Webhook("/", Secret("webhook secret", "whsec_" + "x" * 32), "2026-08-26.dahlia"),
            stores=(SourceSpec("database", f"sqlite:{tmp_path / 'b.db'}"),),
            logs=(SourceSpec("log", f"file:{log}"),),
            files=(SourceSpec("files", f"file:{more.pop('files', tmp_path / 'tmp')}"),),
            budget=Budget(**more),
        )
        at_rest = searching(target, ledger)
        request.addfinalizer(at_rest.close)
        return at_rest.find_leaks(0, WishList(tuple(places), *(wish or (tuple(CANARIES), (MARK,)))))

    return searched


@pytest.mark.parametrize("value", [NUMBER, int(NUMBER), gzip.compress(NUMBER.encode(), mtime=0), NUMBER[::-1].encode()])
def test_a_value_is_found_in_any_type(database, search, value):
    """A canary in a column is told with table, column and row, and where it came from."""
    database.execute("INSERT INTO events VALUES ('evt_2', ?)", (value,))
    (seen,) = search([Channel.STORE])
    (leak,) = seen.leaks
    assert (leak.what, leak.is_digest) == ("card number (offered in metadata)", False)
    assert str(leak.place).startswith("database table events field content row id=evt_2")
    assert seen.marked is True
    assert NUMBER not in str(seen)


def test_a_key_that_is_the_value_is_not_shown(database, search):
    """The row is told, but not by a key that is payment data itself."""
    database.execute("INSERT INTO events VALUES (?, 1)", (f"pan:{NUMBER}",))
    (seen,) = search([Channel.STORE])
    assert len(seen.leaks) == 1
    assert NUMBER not in str(seen)


def test_without_the_mark_the_place_is_the_wrong_one(database, search):
    """A store or log that does not hold the id of what was delivered is told as not marked."""
    store, log = search([Channel.STORE, Channel.LOG], (tuple(CANARIES), ("evt_other",)))
    assert (store.marked, log.marked) == (False, False)
    (none_accepted,) = search([Channel.STORE], (tuple(CANARIES), ()))
    assert none_accepted.marked is False


def test_any_id_of_stripes_is_a_mark_where_nothing_is_sent(database, search):
    """On production nothing is delivered: that a store holds Stripe's ids shows that it is one of billing."""
    (seen,) = search([Channel.STORE], (None, None), environment=Environment.PRODUCTION)
    assert (seen.marked, seen.live, seen.wanted) == (True, True, "patterns")
    database.execute("DELETE FROM events")
    (empty,) = search([Channel.STORE], (None, None))
    assert empty.marked is False


def test_patterns_are_told_with_what_may_be_shown(database, search):
    """What looks like a card number or a secret is told masked, the target's own secret by its name."""
    rows = [(f"4242 {'4242 ' * 3}".strip(),), ("whsec_" + "x" * 32,), ("sk_" + "live_" + "a1B2c3D4e5F6g7H8i9J0k1L2",)]
    database.executemany("INSERT INTO events VALUES (hex(randomblob(8)), ?)", rows)
    (seen,) = search([Channel.STORE], (None, (MARK,)))
    assert {one.kind for one in seen.leaks} >= {"pan", "stripe_secret"}
    assert all(row[0] not in str(seen) for row in rows)


def test_a_code_is_told_by_its_column(database, search):
    """A CVC says nothing by itself: the name of its column tells it."""
    database.execute("CREATE TABLE checks (id INTEGER PRIMARY KEY, cvc TEXT)")
    database.execute("INSERT INTO checks VALUES (1, '731')")
    (seen,) = search([Channel.STORE], (None, (MARK,)))
    assert [(one.kind, one.place.table, one.place.field) for one in seen.leaks] == [("cvc", "checks", "cvc")]


def test_files_are_searched_and_what_cannot_be_is_told(tmp_path, database, search):
    """Archives are looked into; a place that is not there and an archive cut short are told as not read."""
    (missing,) = search([Channel.FILE])
    assert missing.unread
    folder = tmp_path / "tmp"
    (folder / "inner").mkdir(parents=True)
    (empty,) = search([Channel.FILE])
    assert (empty.pieces, empty.unread, empty.marked) == (0, (), None)
    (folder / "inner" / "dump.gz").write_bytes(gzip.compress(f"x {NUMBER} y".encode()))
    (found,) = search([Channel.FILE])
    assert found.leaks[0].what == "card number (offered in metadata)"
    assert NUMBER not in str(found)
    (folder / "cut.gz").write_bytes(gzip.compress(b"a" * 100_000, mtime=0)[:60])
    (cut,) = search([Channel.FILE])
    assert any("cut.gz" in str(one) for one in cut.unread)


def test_a_log_is_searched_from_its_beginning(tmp_path, database, search):
    """A log shows the marks and the canaries of all that was delivered."""
    (tmp_path / "service.log").write_text(f"took {MARK}\ncard {NUMBER}\n")
    (seen,) = search([Channel.LOG])
    assert (seen.marked, len(seen.leaks), seen.pieces) == (True, 1, 1)


def test_a_search_ends_with_its_time(tmp_path, database, search):
    """What the budget leaves no time for is named: the rest of a table, the tables and files behind it, each source."""
    database.execute("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "a").write_bytes(b"x")
    store, log, files = search([Channel.STORE, Channel.LOG, Channel.FILE], search_seconds=-1.0)
    (left,) = store.spent
    assert "of table events only 0 rows were read within -1 s (search_seconds" in left
    assert "nothing of later" in left
    assert (store.pieces, store.marked, log.marked) == (0, False, False)
    assert "service.log was not read to its end" in log.spent[0]
    assert f"{tmp_path}/tmp/a was not read to its end" in files.spent[0]


def test_what_was_read_before_an_error_is_searched(database, search, monkeypatch):
    """A table that cannot be read to its end is told as not read, and what came before is searched all the same."""
    right = SqliteTables.rows

    def breaking(tables, table, most=None):
        yield from right(tables, table, most)
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"database, table {table}: the connection was lost")

    monkeypatch.setattr(SqliteTables, "rows", breaking)
    database.execute("INSERT INTO events VALUES ('evt_2', ?)", (NUMBER,))
    (seen,) = search([Channel.STORE])
    assert ([one.place.table for one in seen.leaks], seen.marked) == (["events"], True)
    assert [str(one) for one in seen.unread] == ["database table events: the connection was lost"]


def test_what_was_found_in_time_is_kept(database, search, monkeypatch):
    """Of a table that is too large for the budget, what was read is searched, and the rest and its share are named."""
    database.execute("CREATE TABLE large (id INTEGER PRIMARY KEY, content)")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    database.execute(f"INSERT INTO large {numbers} SELECT i, iif(i = 7, ?, 'nothing') FROM n", (NUMBER,))
    clock = itertools.count()
    monkeypatch.setattr("payproof.engine.deadline.monotonic", lambda: next(clock) / 1000)
    (seen,) = search([Channel.STORE], search_seconds=1.0)
    (left,) = seen.spent
    assert "of table large only " in left
    assert 400 < int(re.search(r"only ([\d,]+) rows", left)[1].replace(",", "")) < 600
    assert ([one.place.table for one in seen.leaks], seen.marked) == (["large"], True)


@pytest.mark.parametrize("packing", ["plain", "gzip", "sqlite", "parquet", "csv"])
def test_one_large_file_ends_with_its_time_too(tmp_path, database, search, monkeypatch, packing):
    """A single file of any sort is not read beyond the budget."""
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "tmp" / "file"
    lines = b"nothing, of interest\n" * 200_000
    if packing == "sqlite":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE t (a)")
            connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(20_000)])
    elif packing == "parquet":
        parquet.write_table(pa.table({"a": list(range(20_000))}), path)
    else:
        path = path.with_suffix(".csv") if packing == "csv" else path
        path.write_bytes(gzip.compress(lines) if packing == "gzip" else lines)
    clock = itertools.count()
    monkeypatch.setattr("payproof.engine.deadline.monotonic", lambda: next(clock) / 1000)
    (whole,) = search([Channel.FILE], search_seconds=1000.0)
    (cut,) = search([Channel.FILE], search_seconds=0.006)
    assert whole.spent == ()
    assert f"{path} was not read to its end within 0.006 s" in cut.spent[0]


def test_counting_ends_with_its_time(database, tmp_path):
    """A count that has not seen every row is none: it says so."""
    target = Target(
        name="t",
        url="https://t.example",
        environment=Environment.LOCAL,
        webhook=Webhook("/", Secret("s", "whsec_" + "x" * 32), "2026-08-26.dahlia"),
        stores=(SourceSpec("database", f"sqlite:{tmp_path / 'b.db'}"),),
        budget=Budget(search_seconds=-1.0),
    )
    with (
        closing(searching(target, Ledger())) as held,
        pytest.raises(InconclusiveError) as caught,
    ):
        held.count_values(0, Watch(), "before")
    assert caught.value.reason is Reason.BUDGET_SPENT
    assert "table events" in caught.value.detail


@pytest.mark.harness_fault
def test_a_canary_that_could_not_be_found_is_no_search(database, search):
    """A value too short to be told from chance would never be found: the search says so before it looks."""
    with pytest.raises(InconclusiveError) as caught:
        search([Channel.STORE], ((Canary("CVC", "c", b"1234"),), (MARK,)))
    assert caught.value.reason is Reason.HARNESS_FAULT


def test_watched_values_are_counted_by_column(database, tmp_path, search):
    """Each column's count of each watched value is told, and whether every id that was offered is somewhere."""
    watch = Watch()
    watch.add("last four", 0, ["4821"], whole=False)
    watch.add("id", 0, [MARK], whole=True)
    database.execute("INSERT INTO events VALUES ('evt_2', 'ends in 4821')")
    target = Target(
        name="t",
        url="https://t.example",
        environment=Environment.LOCAL,
        webhook=Webhook("/", Secret("s", "whsec_" + "x" * 32), "2026-08-26.dahlia"),
        stores=(SourceSpec("database", f"sqlite:{tmp_path / 'b.db'}"),),
    )
    with closing(searching(target, Ledger())) as held:
        (before,), (after,) = held.count_values(0, watch, "before"), held.count_values(0, watch, "after")
        assert (before.marked, after.marked) == (None, True)
        assert [(one.column, one.attribute, one.count) for one in after.columns] == [
            ("content", "last four", 1),
            ("id", "id", 1),
        ]
        watch.add("id", 1, ["evt_never"], whole=True)
        assert held.count_values(0, watch, "after")[0].marked is False
