"""Folders of a run for what it must not leave behind, such as keys; a later run removes what a killed one has left.

A folder belongs to whoever holds the lock (flock) on it, which the system lets go of when the last process that holds
it is gone, however it ends. So a lock that can be had is one of the dead.
"""

import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Scratch", "end_server", "scratch_folder"]

_NAME = re.compile(r"payproof-(disk|pg|service|upstream)-[0-9a-f]{8}")
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_END_SECONDS = 10.0
_SOCKET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder that is this run's; ``lock`` is the descriptor to pass on to a process that goes on to use it."""

    path: Path
    lock: int


@contextmanager
def scratch_folder(kind: Literal["disk", "pg", "service", "upstream"], parent: str | None = None) -> Iterator[Scratch]:
    """Make a folder that nobody else may enter, by default among the temporary files, and remove it at the end.

    Before that it removes what runs have left there that were killed, with a PostgreSQL server that still runs in it.
    """
    place = Path(parent or tempfile.gettempdir())
    _remove_left(place)
    made = _make_folder(place, kind)
    try:
        yield made
    finally:
        shutil.rmtree(made.path, ignore_errors=True)
        os.close(made.lock)


def _make_folder(place: Path, kind: str) -> Scratch:
    while True:
        path = place / f"payproof-{kind}-{secrets.token_hex(4)}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        # Between the two another run may have taken it for left behind: then it has the lock, or has removed it.
        if (lock := _lock_folder(path)) is not None:
            return Scratch(path, lock)


def _lock_folder(path: Path) -> int | None:
    """Return a descriptor that holds the lock of a folder, or None where another process does, or it is gone."""
    try:
        folder = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(folder), path.lstat()):
            return folder
    except OSError:
        pass
    os.close(folder)
    return None


def _remove_left(place: Path) -> None:
    """Remove the folders of this user whose runs are gone; another's, and what only looks alike, stays."""
    for path in [one for one in _entries(place) if _NAME.fullmatch(one.name)]:
        with suppress(OSError):
            lock = _lock_folder(path) if path.lstat().st_uid == os.geteuid() else None
            if lock is not None:
                try:
                    _end_left_server(path / "data" / "postmaster.pid")
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(lock)


def _entries(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except OSError:
        return []


def _end_left_server(pid_file: Path) -> None:
    """End a PostgreSQL server whose keeper is gone: only one that answers at its socket is the one of the file."""
    with suppress(OSError, IndexError):
        lines = pid_file.read_text().splitlines()
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(_SOCKET_SECONDS)
            one.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
        end_server(pid_file)


def end_server(pid_file: Path) -> None:
    """End a PostgreSQL server at once, and wait for it as long as 10 seconds."""
    until = time.monotonic() + _END_SECONDS
    with suppress(OSError, ValueError, IndexError):
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
    while pid_file.exists() and time.monotonic() < until:
        time.sleep(0.05)
