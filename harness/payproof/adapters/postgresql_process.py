"""The process that holds the embedded run's PostgreSQL database: `python -m payproof.adapters.postgresql_process`.

It says on one line of JSON what it has made, and removes it when its standard input ends, which happens on every system
when the process that started it is gone. Signals do not end it, so that nothing stays behind.
"""

import atexit
import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from psycopg import sql

from payproof.adapters.own_server import open_server
from payproof.adapters.postgresql import SERVER_VARIABLE
from payproof.adapters.scratch import end_server, scratch_folder
from payproof.domain.address import without_password
from payproof.errors import ConfigurationError, TargetStartError, place_of
from payproof.sources.postgresql.connection import Address, describe_error

__all__ = ["main"]

_LONGEST_FOLDER = 60  # a socket's path has 103 bytes on some systems, and what is put below takes 40
_ROLES = ("owner", "service", "watcher")


def main() -> int:
    """Make a database, say so, and remove it when the input ends; 1 when it could not be removed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        with ExitStack() as made:
            print(json.dumps(_answer(made)), flush=True)  # noqa: T201 (what the other process waits for)
            sys.stdin.buffer.read()
    except psycopg.Error:
        return 1
    return 0


def _answer(made: ExitStack) -> Mapping[str, str]:
    """Make the database and return its URLs, or what went wrong."""
    try:
        given = os.environ.get(SERVER_VARIABLE)
        if given:
            return _database(made, given, lasting=True)
        url, folder = made.enter_context(_own_server())
        return {**_database(made, url, lasting=False), "folder": str(folder)}
    except ConfigurationError as error:
        return {"kind": "usage", "problem": str(error)}
    except Exception as error:  # noqa: BLE001 (whatever it is, the other process has to hear of it)
        problem = str(error) if isinstance(error, TargetStartError) else place_of(error)
        return {"kind": "start", "problem": f"PostgreSQL did not start: {problem}"}


@contextmanager
def _own_server() -> Iterator[tuple[str, Path]]:
    """Start a server that listens on a socket in a folder of its own; yield its administrator's URL and its folder."""
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _LONGEST_FOLDER:
        parent = "/tmp"  # noqa: S108 (a folder of ours there is one that nobody else can enter)
    with scratch_folder("pg", parent) as scratch:
        folder = scratch.path
        # The wheel keeps its lock there where it does not keep it beside the data; here it goes with the folder.
        tempfile.tempdir = str(folder)
        server = open_server(folder / "data", "delete", start=False)
        try:
            server.start()
            yield server.get_uri(), server.pgdata
        finally:
            # The wheel does not know one that it has given up on, such as one that took too long to start, nor one
            # that a scenario has stopped and started.
            end_server(folder / "data" / "postmaster.pid")
            server.cleanup()
            atexit.unregister(server._cleanup)  # noqa: SLF001 (it would make the folder anew)


def _database(made: ExitStack, server: str, *, lasting: bool) -> Mapping[str, str]:
    """Make a database with a role for each purpose; it is dropped where the server lasts.

    Raises:
        ConfigurationError: the lasting server refuses.
        TargetStartError: the other one does.
    """
    name = f"payproof_{secrets.token_hex(8)}"
    passwords = {role: secrets.token_urlsafe(32) for role in _ROLES}
    password: str | None = None
    try:
        url, password = without_password(server)
        address = Address(url, password)
        urls = {role: _url(url, f"{name}_{role}", passwords[role], name) for role in _ROLES}
        with psycopg.connect(address.conninfo(), autocommit=True) as connection:
            if lasting:
                made.callback(_drop, address, name)
            else:
                # What a crash of the machine would lose is of no concern here.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            for role, secret in passwords.items():
                _make_role(connection, f"{name}_{role}", secret)
            owner = sql.Identifier(f"{name}_owner")
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), owner))
        with psycopg.connect(urls["owner"], autocommit=True) as connection:
            watcher = sql.Identifier(f"{name}_watcher")
            for right in ("SELECT ON TABLES", "USAGE ON SCHEMAS"):
                connection.execute(sql.SQL("ALTER DEFAULT PRIVILEGES GRANT {} TO {}").format(sql.SQL(right), watcher))
    except (psycopg.Error, ValueError) as error:
        text = describe_error(error, password) if isinstance(error, psycopg.Error) else str(error)
        raise ConfigurationError(f"{SERVER_VARIABLE}: {text}") if lasting else TargetStartError(text) from None
    return {"administrator": server, **urls}


def _make_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """Make a role that can log in; the server's log gets a digest of its password only."""
    digest = connection.pgconn.encrypt_password(password.encode(), role.encode()).decode()
    name = sql.Identifier(role)
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, digest))
    # An administrator who is no superuser needs it to hand a database over and to end the role's connections.
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))


def _drop(address: Address, name: str) -> None:
    with psycopg.connect(address.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in _ROLES:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{role}")))


def _url(server: str, role: str, password: str, database: str) -> str:
    """Return the URL of another role and database on the same server."""
    parts = urlsplit(server)
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key not in {"dbname", "user"}]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"postgresql://{role}:{password}@{parts.netloc.rpartition('@')[2]}/{database}{query}"


if __name__ == "__main__":
    sys.exit(main())
