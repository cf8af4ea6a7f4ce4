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
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, LiteralString

from payproof.adapters.own_server import open_server
from payproof.adapters.scratch import end_server
from payproof.errors import place_of

if TYPE_CHECKING:
    import psycopg

    from payproof.domain.target import StoreFault

__all__ = ["DATABASE", "OWNER", "ROLE", "ROLE_FAULTS", "SERVER", "SERVER_FAULTS", "last_lines", "main"]

#: Variables: the SQLite file, or the URL of PostgreSQL's administrator; the role that is to be refused there; the URL
#: of the tables' owner; and the folder of the server.
DATABASE, ROLE, OWNER = "PAYPROOF_OUTAGE_DATABASE", "PAYPROOF_OUTAGE_ROLE", "PAYPROOF_OUTAGE_OWNER"
SERVER = "PAYPROOF_OUTAGE_SERVER"

#: The faults of PostgreSQL that befall one role, and those that befall all databases of the server.
ROLE_FAULTS: "Sequence[StoreFault]" = ("restarted", "no_connections", "locked", "statement_timeout")
SERVER_FAULTS: "Sequence[StoreFault]" = ("read_only", "cut_in_commit")

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


#: By fault what is set for the role, and how it is set back; the connections that it has are ended when it is set.
_ROLE_SETTINGS: Mapping[str, tuple[str, str]] = {
    "": ("NOLOGIN", "LOGIN"),
    "restarted": ("LOGIN", "LOGIN"),
    "no_connections": ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1"),
}
_END_OF_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
#: Who waits for a lock is cancelled as soon as that is seen: a setting of the role would yield to a target's own.
_END_OF_STATEMENTS = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE usename = %s AND state = 'active' AND now() - query_start > interval '200 milliseconds'
"""
_LOOK_SECONDS = 0.005
_BLOCK = 4096


@contextmanager
def _postgresql(arguments: list[str]) -> Iterator[None]:
    """Let PostgreSQL refuse one role and end the connections that it has, or let it have a fault."""
    import psycopg  # noqa: PLC0415 (of an extra)

    fault, role = (*arguments, "")[0], os.environ[ROLE]
    with psycopg.connect(os.environ[DATABASE], autocommit=True) as connection:
        # Whatever is to happen to commits, those of the administrator do not wait.
        connection.execute("SET synchronous_commit = local")
        match fault:
            case "locked":
                made: AbstractContextManager[None] = _lock_tables(os.environ[OWNER])
            case "read_only":
                made = _set_server(connection, "default_transaction_read_only", "on")
            case "statement_timeout":
                made = _cancel_statements(connection, role, os.environ[OWNER])
            case "cut_in_commit":
                made = _cut_commits(connection, role)
            case _:
                made = _set_role(connection, role, *_ROLE_SETTINGS[fault])
        with made:
            yield


@contextmanager
def _set_role(connection: "psycopg.Connection", role: str, begin: str, end: str) -> Iterator[None]:
    """Set something for a role and end its connections, and set it back: whatever is open then works."""
    from psycopg import sql  # noqa: PLC0415 (of an extra)

    def alter(what: str) -> None:
        connection.execute(sql.SQL(f"ALTER ROLE {{}} {what}").format(sql.Identifier(role)))

    try:
        alter(begin)
        connection.execute(_END_OF_CONNECTIONS, [role])
        yield
    finally:
        alter(end)


@contextmanager
def _set_server(connection: "psycopg.Connection", name: str, value: str) -> Iterator[None]:
    """Set something for the whole server, which open connections follow at once, and set it back."""

    def alter(what: str) -> None:
        before = connection.execute(f"SHOW {name}").fetchone()
        connection.execute(f"ALTER SYSTEM {what}")
        connection.execute("SELECT pg_reload_conf()")
        until = time.monotonic() + _LOCK_SECONDS
        while connection.execute(f"SHOW {name}").fetchone() == before and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    try:
        alter(f"SET {name} = '{value}'")
        yield
    finally:
        alter(f"RESET {name}")


@contextmanager
def _lock_tables(owner: str) -> Iterator[None]:
    """Hold the locks of all tables of a database, as their owner."""
    import psycopg  # noqa: PLC0415 (of an extra)
    from psycopg import sql  # noqa: PLC0415 (of an extra)

    with psycopg.connect(owner) as connection:
        connection.execute(f"SET lock_timeout = {int(_LOCK_SECONDS * 1000)}")
        found = connection.execute("SELECT tablename FROM pg_tables WHERE tableowner = current_user ORDER BY tablename")
        tables = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found.fetchall())
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables))
        yield


@contextmanager
def _cut_commits(connection: "psycopg.Connection", role: str) -> Iterator[None]:
    """Let each commit of a role be written, and cut its connection before it hears of it.

    A commit waits for a replica that there is not, once it is written; who waits there is ended.
    """
    cut = f"{_END_OF_CONNECTIONS} AND wait_event = 'SyncRep'"
    with _set_server(connection, "synchronous_standby_names", "nobody"), _repeating(connection, cut, role):
        yield


@contextmanager
def _cancel_statements(connection: "psycopg.Connection", role: str, owner: str) -> Iterator[None]:
    """Let each statement of a role wait for a lock, and cancel it."""
    with _lock_tables(owner), _repeating(connection, _END_OF_STATEMENTS, role):
        yield


@contextmanager
def _repeating(connection: "psycopg.Connection", statement: LiteralString, role: str) -> Iterator[None]:
    """Execute a statement about a role again and again."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(_LOOK_SECONDS):
            connection.execute(statement, [role])

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _stopped_server(_arguments: list[str]) -> Iterator[None]:
    """Stop a PostgreSQL server that the wheel has started, as a crash does, and start it where it was."""
    folder = Path(os.environ[SERVER])
    server = open_server(folder, None, start=True)
    try:
        end_server(folder / "postmaster.pid")
        yield
    finally:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                server.ensure_postgres_running()
                break
            except (subprocess.SubprocessError, AssertionError):  # it takes its time to recover
                if attempt == _ATTEMPTS:
                    raise
        server.cleanup()


@contextmanager
def _full_disk(arguments: list[str]) -> Iterator[None]:
    """Leave no byte on the disk of a folder; what fills it has no name, and is gone with this process."""
    with tempfile.TemporaryFile(dir=arguments[0], buffering=0) as ballast:
        for size in (256 * _BLOCK, _BLOCK, 1):
            with suppress(OSError):
                while True:
                    ballast.write(bytes(size))
        yield


_KINDS: Mapping[str, Callable[[list[str]], AbstractContextManager[None]]] = {
    "commands": _commands,
    "disk": _full_disk,
    "postgresql": _postgresql,
    "server": _stopped_server,
    "sqlite": _sqlite,
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
