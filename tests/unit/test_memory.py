"""The memory of the target's processes is measured on Linux, and is not known elsewhere."""

import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from payproof.adapters.memory import ProcessMemory
from payproof.checks.bounded_memory import BoundedMemory
from payproof.domain.observation import MemorySeen
from payproof.domain.seen import Seen
from payproof.domain.target import Contract
from tests.components import need

MEBIBYTE = 1024 * 1024
#: Listens, and takes memory for a moment, itself or in a process of its own, when it is told to.
PROGRAM = """
import socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    take = f"taken = bytearray({int(line.split()[1])})"
    if line.startswith("child"):
        child = subprocess.Popen([sys.executable, "-c", take + "; print(1, flush=True); input()"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
    else:
        exec(take)
        taken = None
    print("done", flush=True)
"""


@contextmanager
def listening():
    """Run the program; yield its port, and what tells it to take memory."""
    need("/proc", sys.platform == "linux")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def take(how, size):
            process.stdin.write(f"{how} {size}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        try:
            yield int(process.stdout.readline()), take
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["itself", "child"])
def test_peaks_are_seen(how):
    """What was taken and given back is seen, and so is what a process takes that was started meanwhile."""
    with listening() as (port, take):
        meter = ProcessMemory(f"http://127.0.0.1:{port}")
        meter.begin()
        take(how, 64 * MEBIBYTE)
        before, growth = meter.end()
        assert before > MEBIBYTE
        assert 60 * MEBIBYTE <= growth < 128 * MEBIBYTE


def test_earlier_peaks_are_forgotten():
    """What was taken before the measurement does not count."""
    with listening() as (port, take):
        take("itself", 64 * MEBIBYTE)
        meter = ProcessMemory(f"http://127.0.0.1:{port}")
        meter.begin()
        _, growth = meter.end()
        assert growth < 8 * MEBIBYTE


def test_what_cannot_be_measured_is_told():
    """Without a process, elsewhere, and where this process listens itself, nothing is known."""
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port = mine.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "https://billing.example"):
            meter = ProcessMemory(url)
            meter.begin()
            assert str(meter.end()).startswith("not known: ")
    meter = ProcessMemory(f"http://127.0.0.1:{port}")
    meter.begin()
    assert "no process of this user listens" in str(meter.end())


@pytest.mark.parametrize(
    ("growth", "found", "unjudged"),
    [(40 * MEBIBYTE, 0, 0), (50 * MEBIBYTE, 1, 0), (None, 0, 1)],
)
def test_a_body_is_not_held_whole(growth, found, unjudged):
    """To grow by a whole body is a finding, and what is not known is not judged."""
    seen = Seen(Contract(), (MemorySeen(0, 0, growth, 50 * MEBIBYTE, "nobody knows"),))
    assert len(list(BoundedMemory().judge(seen))) == found
    assert len(list(BoundedMemory().find_unjudged(seen))) == unjudged
