"""Nothing that hangs holds a run: what is looked into is broken off when its time is over, or on an interrupt."""

import asyncio
import gzip
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import pytest

from payproof.aside import aside
from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.domain.observation import Channel
from payproof.domain.tables import Column, Table
from payproof.domain.target import Budget, SourceSpec
from payproof.engine.deadline import TimeIsOverError
from payproof.engine.ports import WishList
from payproof.engine.search_at_rest import SearchAtRest
from payproof.engine.source_reads import find_position, read_lines, take_snapshot
from payproof.errors import InconclusiveError, Reason
from payproof.sources.sqlite import open_store, open_tables
from tests.hostile.files.archives import ARCHIVES
from tests.hostile.files.test_trees import database
from tests.unit.test_operating import TARGET


class Hanging:
    """Tables of which the second hangs until it is broken off, as a statement does that a server takes its time for."""

    name = "hanging"

    def __init__(self):
        self.begun, self.ended = threading.Event(), threading.Event()

    def tables(self):
        """Return them."""
        return [Table("first"), Table("second"), Table("third")]

    def columns(self):
        """Return theirs."""
        return [Column("first", "id", "text")]

    def rows(self, table, most=None):
        """Yield a row, or hang."""
        if table == "second":
            self.begun.set()
            assert self.ended.wait(60), "nobody has broken it off"
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, "hanging, table second: interrupted")
        yield "id=1", "id", "4242 4242 4242 4242 evt_1234567890"

    def interrupt(self):
        """Break it off."""
        self.ended.set()

    def close(self):
        """Do nothing."""


@contextmanager
def holdings(tables, seconds):
    """What a target holds, whose one store is these tables."""
    target = replace(
        TARGET, stores=(SourceSpec("db", "sqlite:nowhere"),), budget=replace(Budget(), search_seconds=seconds)
    )
    finder = LocalLeakFinder(())
    with closing(SearchAtRest(target, open_tables=lambda _: tables, finder=finder, ledger=Ledger())) as held:
        yield held


def searching(held):
    """Return what searches the stores."""
    return lambda: held.find_leaks(0, WishList((Channel.STORE,), None, None))


def test_a_hanging_statement_is_broken_off():
    """When a search's time is over the statement that hangs ends; what was found is kept, what was not read told."""
    tables = Hanging()

    async def searched():
        task = asyncio.create_task(aside(searching(held), seconds=60))
        await asyncio.to_thread(tables.begun.wait, 60)
        held.interrupt()
        return await task

    with holdings(tables, 50) as held:
        (seen,) = asyncio.run(searched())
    assert {one.kind for one in seen.leaks} == {"pan"}
    assert seen.unread == ()
    (spent,) = seen.spent
    assert "of table second only 0 rows were read within 50 s (search_seconds" in spent
    assert "nothing of third" in spent


def test_what_is_broken_off_before_it_has_begun_is_told():
    """A search that is broken off before its thread has come to a store reads nothing of it, and says so."""
    tables = Hanging()
    with holdings(tables, 50) as held:
        held.begin()
        held.interrupt()
        (seen,) = searching(held)()
    assert seen.spent == ("nothing of store db was read within 50 s (search_seconds of [budget])",)
    assert not tables.begun.is_set()


def test_an_interrupt_breaks_off_what_hangs():
    """Whoever waits for a search that hangs can be cancelled, and the search ends before that is told."""
    tables = Hanging()

    async def cancelled():
        task = asyncio.create_task(aside(searching(held), interrupt=held.interrupt))
        await asyncio.to_thread(tables.begun.wait, 60)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    with holdings(tables, 60) as held:
        assert asyncio.run(cancelled())
    assert tables.ended.is_set()


def test_the_loop_goes_on():
    """While work hangs beside it the loop does other things; what cannot be broken off is left to itself."""
    let_go = threading.Event()

    async def run(monkeypatch):
        monkeypatch.setattr("payproof.aside.GRACE", 0.05)
        task = asyncio.create_task(aside(lambda: let_go.wait(60), seconds=0.05))
        turns = 0
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 2
        with pytest.raises(TimeoutError):
            await task

    with pytest.MonkeyPatch.context() as patch:
        asyncio.run(run(patch))
    let_go.set()


def test_what_work_raises_is_raised_where_it_is_waited_for():
    """An error of the work is the caller's, whatever it is."""

    def work():
        raise TimeIsOverError

    with pytest.raises(TimeIsOverError):
        asyncio.run(aside(work))
    assert asyncio.run(aside(lambda: 5)) == 5


def test_a_statement_of_sqlite_is_broken_off(tmp_path):
    """A statement of SQLite's that gives nothing for long ends when another thread says so."""
    million = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT NULL FROM n"
    database(tmp_path / "a.db", "CREATE TABLE empty (x)", f"INSERT INTO empty {million}")
    tables = open_tables(SourceSpec("db", f"sqlite:{tmp_path}/a.db"))
    with closing(tables):
        connection = tables._connect()
        # For ever, as far as a test is concerned.
        connection.set_progress_handler(lambda: tables.interrupt() or 0, 1000)
        with pytest.raises(InconclusiveError, match="interrupted"):
            list(tables.rows("empty"))
        with pytest.raises(InconclusiveError, match="broken off"):
            list(tables.rows("empty"))


def test_an_interrupt_within_a_statement_of_sqlite_is_one(tmp_path):
    """A signal's exception that SQLite swallows, as it comes within a statement, ends the search all the same."""
    million = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT NULL FROM n"
    database(tmp_path / "a.db", "CREATE TABLE empty (x)", f"INSERT INTO empty {million}")
    tables = open_tables(SourceSpec("db", f"sqlite:{tmp_path}/a.db"))

    def signalled():
        raise KeyboardInterrupt

    with closing(tables):
        tables._connect().set_progress_handler(signalled, 1000)
        with pytest.raises(KeyboardInterrupt):
            list(tables.rows("empty"))


class Silent:
    """A store and a log that never answer."""

    name = "silent"

    async def snapshot(self, ids, before):
        """Wait."""
        await asyncio.Event().wait()

    position = since = snapshot


def test_a_look_into_a_store_or_log_that_hangs_is_unknown():
    """A look that takes longer than it may says nothing, and why."""

    class Log(Silent):
        async def position(self):
            await asyncio.Event().wait()

        async def since(self, position):
            await asyncio.Event().wait()
            yield position

    for look in (
        lambda: take_snapshot(Silent(), (), None, 0.05),
        lambda: find_position(Log(), 0.05),
        lambda: read_lines(Log(), 0, 0.05),
    ):
        with pytest.raises(InconclusiveError, match=r"silent was not read within 0\.05 s") as raised:
            asyncio.run(look())
        assert raised.value.reason is Reason.SOURCE_UNREADABLE


def test_a_look_into_sqlite_is_beside_the_loop(tmp_path):
    """A store that is looked into holds nothing else up, and a look can be cancelled."""
    database(tmp_path / "a.db", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")

    async def look():
        store = open_store(SourceSpec("db", f"sqlite:{tmp_path}/a.db"))
        began, let_go = threading.Event(), threading.Event()
        interrupted = store._connection.interrupt

        def held(ids, before):
            began.set()
            assert let_go.wait(60), "nobody has broken it off"

        store._look, store._reading = held, _Interruptible(store._connection, let_go)
        task = asyncio.create_task(store.snapshot((), None))
        await asyncio.to_thread(began.wait, 60)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert let_go.is_set()
        interrupted()
        await store.close()

    asyncio.run(look())


class _Interruptible:
    def __init__(self, connection, told):
        self.close, self.interrupt = connection.close, told.set


STILL = {
    "gzip without anything in it": lambda: gzip.compress(b"", mtime=0) * 100_000,
    "a name without an end": ARCHIVES["gzip: a name without an end"][0],
    "frames of zstd without anything in them": ARCHIVES["zstd: 100,000 empty frames"][0],
}


@pytest.mark.parametrize("name", STILL)
def test_the_end_of_time_reaches_into_archives(tmp_path, name):
    """Even where nothing comes of what is read, the search of a file asks whether there is time, and ends if not."""
    (tmp_path / "file").write_bytes(STILL[name]())
    finder = LocalLeakFinder(())
    asked = 0

    def progress(_name):
        nonlocal asked
        asked += 1
        if asked == 3:
            raise TimeIsOverError

    with pytest.raises(TimeIsOverError):
        list(finder.search_files(None, SourceSpec("files", f"file:{tmp_path}"), progress))


def test_many_empty_members_take_time_in_proportion(tmp_path):
    """Twice as many empty members of gzip take about twice as long, and nothing like four times."""
    finder = LocalLeakFinder(())

    def taken(count):
        (tmp_path / "file").write_bytes(gzip.compress(b"", mtime=0) * count)
        begun = time.process_time()
        list(finder.search_files(None, SourceSpec("files", f"file:{tmp_path}"), lambda _: None))
        return time.process_time() - begun

    taken(1000)
    assert min(taken(60_000) for _ in range(2)) < 3 * min(taken(30_000) for _ in range(2)) + 0.1
