"""The process that takes a store down and brings it back: ``python -m payproof.adapters.outage_process KIND``.

It says ``down`` on one line, or in JSON how a command has failed. It brings the store back when its standard input
ends, which happens on every system when the process that started it is gone. Signals do not end it, so that no store
stays down.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import IO

from payproof.errors import place_of

__all__ = ["DATABASE", "ROLE", "last_lines", "main"]

#: Variables: the SQLite file, or the URL of PostgreSQL's administrator; and the role that is to be refused there.
DATABASE, ROLE = "PAYPROOF_OUTAGE_DATABASE", "PAYPROOF_OUTAGE_ROLE"

_LOCK_SECONDS = 10.0
_LAST_BYTES, _LAST_LINES = 2000, 3
_ATTEMPTS = 3  # to bring a store back, the last one of which tells the status


class _CommandError(Exception):
    """A command has failed, and it was told how."""


@contextmanager
def _commands(arguments: list[str]) -> Iterator[None]:
    """Run one command, and later another, which are given as JSON; of one that fails its status and end are told."""
    down, up = json.loads(arguments[0])
    try:
        if failed := _run_command(down):
            _tell("down", failed)
            raise _CommandError
        yield
    finally:
        # Also after a failure, which may have done half of it.
        for _ in range(_ATTEMPTS):
            if (failed := _run_command(up)) is None:
                break
        else:
            assert failed is not None
            _tell("up", failed)
            raise _CommandError


def _run_command(command: list[str]) -> tuple[str, list[str]] | None:
    """Run a command; return how it failed, and its last lines, where it did."""
    with tempfile.TemporaryFile() as output:  # a pipe would stay open as long as anything that it has started
        try:
            ended = subprocess.run(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
        except OSError as error:
            return f"{command[0]} cannot be started: {error.strerror}", []
        if ended.returncode == 0:
            return None
        return f"{command[0]} ended with status {ended.returncode}", last_lines(output)


def _tell(what: str, failed: tuple[str, list[str]]) -> None:
    """Tell the other process, if it is still there; it masks what must not be shown."""
    with suppress(OSError):
        print(json.dumps([what, *failed]), flush=True)  # noqa: T201


def last_lines(output: IO[bytes]) -> list[str]:
    """Return the last lines of a file."""
    end = output.seek(0, os.SEEK_END)
    output.seek(max(0, end - _LAST_BYTES))
    lines = output.read().decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.strip()][-_LAST_LINES:]


@contextmanager
def _sqlite(_arguments: list[str]) -> Iterator[None]:
    """Hold the lock of a SQLite file for which everybody who writes has to wait."""
    connection = sqlite3.connect(os.environ[DATABASE], timeout=_LOCK_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@contextmanager
def _postgresql(_arguments: list[str]) -> Iterator[None]:
    """Let PostgreSQL refuse one role, and end the connections that it has."""
    import psycopg  # noqa: PLC0415 (of an extra)
    from psycopg import sql  # noqa: PLC0415

    role = os.environ[ROLE]
    with psycopg.connect(os.environ[DATABASE], autocommit=True) as connection:
        alter = sql.SQL("ALTER ROLE {} {}")
        try:
            connection.execute(alter.format(sql.Identifier(role), sql.SQL("NOLOGIN")))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])
            yield
        finally:
            connection.execute(alter.format(sql.Identifier(role), sql.SQL("LOGIN")))


_KINDS: Mapping[str, Callable[[list[str]], AbstractContextManager[None]]] = {
    "commands": _commands,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}


def main(arguments: list[str]) -> int:
    """Take a store down until the input ends; 1 when it could not be taken down or brought back."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kind, *rest = arguments
    try:
        with _KINDS[kind](rest):
            print("down", flush=True)  # noqa: T201 (what the other process waits for)
            sys.stdin.buffer.read()
    except _CommandError:
        return 1
    except Exception as error:  # noqa: BLE001 (a driver's text could hold anything)
        _tell("", (f"{place_of(error)} failed", []))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
