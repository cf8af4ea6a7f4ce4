"""Services of tests in processes of their own: a port for one, and the wait for its first answer."""

import contextlib
import secrets
import socket
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path

__all__ = ["await_answer", "find_port"]

_START_SECONDS = 60


def find_port() -> int:
    """Return a port below those that systems give out by themselves, lest one be given out until it is listened at."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for the first answer, for which some load most of what they are."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=_START_SECONDS)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/")
            connection.getresponse()
            return
        time.sleep(0.05)
    raise AssertionError(f"it did not start: {log.read_text()[-4000:]}")
