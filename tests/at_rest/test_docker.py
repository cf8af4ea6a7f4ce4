"""The search of containers' logs, on a real engine, and without one."""

import os
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead, UnitSearched
from tests.at_rest.made import MASKED, PAN
from tests.components import docker_answers, has_image, need
from tests.end_to_end.command import payproof_here

IMAGE = os.environ.get("PAYPROOF_PYTHON_IMAGE", "python:3.13-slim")
SOCKET = Path("/var/run/docker.sock")

#: Lines on standard output, and among them one on standard error, apart by enough to be logged in this order.
BOTH = f"""
import sys, time
for number in range(1, 11):
    print(f"started worker {{number}}", flush=True)
    if number == 4:
        print('{{"card_number": "{PAN}"}}', flush=True)
    if number == 7:
        time.sleep(0.3)
        print("failed for card_number={PAN}", file=sys.stderr, flush=True)
        time.sleep(0.3)
"""
#: Some MB of lines, with a number at the very end.
LONG = f"""
for number in range(60_000):
    print(f"worker {{number}} has nothing to do " + "." * 60)
print("card_number={PAN}", flush=True)
"""


@pytest.fixture
def engine() -> None:
    """A Docker engine that has the image."""
    need("docker", docker_answers())
    need(f"the image {IMAGE}", has_image(IMAGE))


@contextmanager
def container(program: str, *options: str, ends: bool = True) -> Iterator[str]:
    """Run a program of Python in a container; yield its name, once it has ended where it does."""
    name = f"payproof-test-{uuid.uuid4().hex[:12]}"
    command = ["run", "--detach", "--name", name, "--network", "none", *options, IMAGE, "python", "-c", program]
    docker(*command)
    try:
        if ends:
            docker("wait", name)
        yield name
    finally:
        docker("rm", "--force", name)


def docker(*arguments: str) -> str:
    """Run a command of Docker."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def searched(*sources: str, progress: Callable[..., None] | None = None) -> tuple[list[Leak], list[NotRead]]:
    """Search sources; return what was found and what was not read."""
    options = Options() if progress is None else Options(progress=progress)
    told = list(search(read_specs(sources, os.environ), options))
    assert PAN not in repr(told)
    return [one for one in told if isinstance(one, Leak)], [one for one in told if isinstance(one, NotRead)]


@pytest.mark.component("docker")
def test_both_streams_of_a_container_are_searched(engine):
    """Standard output and standard error are searched as one log, and a place names the container and the line."""
    with container(BOTH) as name:
        told, unread = searched(f"docker:{name}")
        ended = payproof_here("scan", f"docker:{name}")
        shown = docker("logs", name)
    assert unread == []
    assert [(str(one.place), one.shown) for one in told] == [
        (f"docker:{name}:5:18", MASKED),
        (f"docker:{name}:9:24", MASKED),
    ]
    assert (ended.code, PAN in ended.out, f"docker:{name}:5:18" in ended.out) == (1, False, True)
    assert shown.count(PAN) == 1  # the other one stands on standard error


@pytest.mark.component("docker")
def test_container_that_runs(engine):
    """Of a container that runs on, what it has written so far is read, and the search ends."""
    program = f"print('card_number={PAN}', flush=True)\nimport time\ntime.sleep(600)"
    with container(program, "--init", ends=False) as name:
        until_written(name)
        found, unread = searched(f"docker:{name}")
        assert docker("inspect", "--format", "{{.State.Running}}", name).strip() == "true"
    assert (len(found), unread) == (1, [])


@pytest.mark.component("docker")
def test_container_that_ends_while_it_is_read(engine):
    """A container that ends under the search is read to its last line, and nothing is told as not read."""
    with container(f"{LONG}\nimport time\ntime.sleep(600)", ends=False) as name:
        until_written(name)
        stopped = once(lambda: docker("kill", name))
        found, unread = searched(f"docker:{name}", progress=stopped)
        assert docker("inspect", "--format", "{{.State.Running}}", name).strip() == "false"
    assert ([one.place.line for one in found], unread) == ([60_001], [])


@pytest.mark.component("docker")
def test_container_that_is_removed_while_it_is_read(engine):
    """A container that goes under the search may not have been read whole, though the command ends well."""
    with container(LONG) as name:
        _, unread = searched(f"docker:{name}", progress=once(lambda: docker("rm", "--force", name)))
        assert [(one.place.source, "no longer there" in one.why) for one in unread] == [(f"docker:{name}", True)]


@pytest.mark.component("docker")
def test_container_that_is_not_there(engine, tmp_path):
    """An absent container is told with what the engine says; the other sources are searched."""
    (tmp_path / "a.log").write_text(f"card_number={PAN}\n")
    alone = payproof_here("scan", "docker:payproof-never-made")
    ended = payproof_here("scan", "docker:payproof-never-made", tmp_path / "a.log")
    assert (alone.code, ended.code, MASKED in ended.out) == (3, 1, True)
    assert "No such container: payproof-never-made" in " ".join(ended.out.split())


@pytest.mark.component("docker")
def test_container_whose_log_is_kept_nowhere(engine):
    """Where the engine keeps no log, nothing was searched, and that is told."""
    with container(BOTH, "--log-driver", "none") as name:
        found, unread = searched(f"docker:{name}")
    assert (found, [one.why for one in unread]) == ([], ["it ended with status 1"])


@pytest.mark.component("docker")
def test_engine_that_is_lost_half_way(engine, monkeypatch):
    """A connection to the engine that breaks while a log is read is told, and what was read before is searched."""
    need("the socket of docker", SOCKET.is_socket())
    with container(f"print('card_number={PAN}')\n{LONG}") as name, cut_off(after=1_000_000) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        found, unread = searched(f"docker:{name}")
        monkeypatch.delenv("DOCKER_HOST")
    assert [one.place.line for one in found] == [1]
    assert unread


def test_engine_that_does_not_answer(monkeypatch):
    """Without an engine a container is told as not read, in the engine's command's own words."""
    need("docker", docker_command())
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    _, unread = searched("docker:billing")
    assert ["Cannot connect to the Docker daemon" in one.why for one in unread] == [True]


def test_machine_without_docker(monkeypatch, tmp_path):
    """Where there is no command docker, a container is told as not read."""
    monkeypatch.setenv("PATH", str(tmp_path))
    told = list(search(read_specs(["docker:billing"], {}), Options()))
    assert [one.why for one in told if isinstance(one, NotRead)] == [
        "the command docker cannot be started: No such file or directory"
    ]
    assert not [one for one in told if isinstance(one, UnitSearched)]


@pytest.mark.parametrize("script", ["sleep 5", "exit 7"])
def test_engine_that_hangs_or_says_nothing(monkeypatch, tmp_path, script):
    """A command that hangs, or fails without a word, costs its time and is told."""
    (tmp_path / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("payproof.at_rest.commands._ANSWER_SECONDS", 0.5)
    _, unread = searched("docker:billing")
    why = {"sleep 5": "the engine has not answered in 0.5 s", "exit 7": "docker ended with status 7"}
    assert [one.why for one in unread] == [why[script]]


def docker_command() -> bool:
    """Whether there is the command, with or without an engine."""
    with suppress(OSError):
        return subprocess.run(["docker", "--version"], capture_output=True, check=False).returncode == 0
    return False


def until_written(name: str) -> None:
    """Wait until a container has written its number."""
    for _ in range(200):
        if PAN in docker("logs", "--tail", "1", name):
            return
        threading.Event().wait(0.1)
    pytest.fail("the container has written nothing")


def once(act: Callable[[], object]) -> Callable[..., None]:
    """Return what shows progress and acts the first time."""
    done: list[object] = []

    def progress(*_: object) -> None:
        if not done:
            done.append(act())

    return progress


@contextmanager
def cut_off(after: int) -> Iterator[str]:
    """Stand between the command and the engine, and break each connection after so many bytes; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as stack:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    engine = socket.socket(socket.AF_UNIX)
                    engine.connect(str(SOCKET))
                    pumps = [
                        threading.Thread(target=pump, args=pair)
                        for pair in ((client, engine, None), (engine, client, after))
                    ]
                    for one in pumps:
                        stack.callback(one.join, 10)
                        one.start()

        listener = threading.Thread(target=serve)
        listener.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        listener.join(10)


def pump(source: socket.socket, sink: socket.socket, most: int | None) -> None:
    """Hand on what comes, and break both connections at the end."""
    handed = 0
    with closing(source), closing(sink), suppress(OSError):
        while (most is None or handed < most) and (data := source.recv(65_536)):
            sink.sendall(data)
            handed += len(data)
        for one in (source, sink):
            one.shutdown(socket.SHUT_RDWR)
