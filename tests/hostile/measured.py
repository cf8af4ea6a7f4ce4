"""Runs the command on something hostile, and tells how it ended: exit code, time, memory, what is left behind."""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.end_to_end.command import environment
from tests.end_to_end.processes import PROC

__all__ = ["Measured", "measured", "table"]

_GRACE = 1  # second
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Measured:
    """How a command ended.

    ``code`` is its exit code, negative where a signal ended it; ``seconds`` are from its start; ``peak`` is the most
    memory, in MiB, that it or one of the processes that it waited for has had; ``hung`` says that it had to be killed;
    ``left`` names the files that are left in its folder for temporary files, and the processes of its session.
    """

    code: int
    seconds: float
    peak: float
    hung: bool
    left: tuple[str, ...]
    out: str = field(repr=False)
    err: str

    def row(self, name: str) -> str:
        """Return a line of the table."""
        ended = "hung" if self.hung else str(self.code)
        left = ", ".join(self.left) or "nothing"
        return f"{name:<60} {ended:>5} {self.seconds:>7.2f} {self.peak:>6.0f}  {left}"


def table(rows: list[str]) -> str:
    """Return lines of `Measured.row` below a header; a test gives it to `record_property("measured", row)`."""
    return "\n".join([f"{'what':<60} {'code':>5} {'s':>7} {'MiB':>6}  left behind", *rows])


def measured(
    *arguments: object,
    seconds: float = 60,
    program: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    meanwhile: Callable[[int], object] | None = None,
) -> Measured:
    """Run ``payproof`` with arguments, or another program, and return how it ended.

    The command runs in a fork of a process that has imported it, in a session of its own, with a folder of its own for
    temporary files. One that has not ended after ``seconds`` is killed. ``env`` is added to the environment.
    ``meanwhile`` is called with its process id while it runs, to send it a signal, say.
    """
    with tempfile.TemporaryDirectory() as folder:
        own, kept = Path(folder, "temporary"), Path(folder)
        own.mkdir()
        (kept / "stdin").write_bytes(stdin)
        server = _server()
        asked = {
            "program": program,
            "arguments": [*map(str, arguments)],
            # Coverage would count its own memory, and cost many times as long.
            "environment": {
                name: value
                for name, value in environment(TMPDIR=str(own), **(env or {})).items()
                if not name.startswith("COVERAGE_")
            },
            "folder": str(cwd or kept),
            "seconds": seconds,
            **{name: str(kept / name) for name in ("stdin", "out", "err")},
        }
        server.stdin.write(json.dumps(asked).encode() + b"\n")
        server.stdin.flush()
        begun = json.loads(server.stdout.readline())["begun"]
        try:
            if meanwhile is not None:
                meanwhile(begun)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(begun, signal.SIGKILL)
            server.stdout.readline()  # else the next command would be told how this one ended
            raise
        ended = json.loads(server.stdout.readline())
        left = tuple(sorted(str(one.relative_to(own)) for one in own.rglob("*"))) + _processes(begun)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(begun, signal.SIGKILL)
        out, err = ((kept / name).read_text("utf-8", "replace") for name in ("out", "err"))
        return Measured(**ended, left=left, out=out, err=err)


@cache
def _server() -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.measuring"],
        cwd=_ROOT,
        env={name: value for name, value in environment().items() if not name.startswith("COVERAGE_")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(_end, server)
    return server


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.stdin.close()
    server.wait(10)
    server.stdout.close()


def _processes(session: int) -> tuple[str, ...]:
    """Return what still runs of a session, and goes on to; what was killed takes a moment to end."""
    end = time.monotonic() + _GRACE
    while (found := _running(session)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _running(session: int) -> tuple[str, ...]:
    found = []
    for file in PROC.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            name, _, rest = file.read_text().rpartition(")")
            state, _, _, of = rest.split()[:4]
            if int(of) == session and state not in "ZX":
                found.append(f"process {name.partition('(')[2]}")
    return tuple(found)
