import errno
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from payproof.files.open_file import NoFileError, require_file

__all__ = [
    "COMMAND_OF_VIRTUAL",
    "TABLES",
    "connect",
    "copy_into_memory",
    "name_of",
    "number_columns",
    "quote_name",
    "was_stopped",
]

_WAIT = 5.0  # seconds for a lock
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite opens as well where it is there
_LONGEST_PATTERN = 100  # of LIKE in a generated column: the time that one takes grows with the power of its wildcards
#: The mark of ``table_xinfo`` for a column that gives commands to a virtual table; it holds nothing.
COMMAND_OF_VIRTUAL = 1
_INSTRUCTIONS = 100_000  # of a statement, after which a signal is looked for

#: All that holds rows, but for what SQLite keeps for itself.
TABLES = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"


def connect(path: Path) -> sqlite3.Connection:
    """Open a database read only; texts come as bytes, as nothing says that they are UTF-8.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    real = path.resolve()  # they stand beside the file itself, not beside a link to it
    for place in (real, *(real.with_name(real.name + suffix) for suffix in _BESIDE)):
        _require_file(place)
    return _open(f"file:{quote(str(path))}?mode=ro")


def copy_into_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of a whole database, for which it is locked as long as its pages take to be copied.

    Raises:
        sqlite3.Error: it cannot be read, or stays locked by somebody else.
    """
    copy = _open(":memory:")
    until = time.monotonic() + _WAIT

    def give_up(status: int, _remaining: int, _total: int) -> None:
        # Python itself would wait for a lock without end.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")

    try:
        connection.backup(copy, progress=give_up)
    except sqlite3.Error:
        copy.close()
        raise
    return copy


def _open(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
    # While a statement runs, signals are waiting: Python looks at them when it is called.
    connection.set_progress_handler(lambda: 0, _INSTRUCTIONS)
    return connection


def _require_file(place: Path) -> None:
    """Refuse what SQLite would wait for."""
    try:
        require_file(place)
    except NoFileError as error:
        raise sqlite3.OperationalError(f"{place.name}: {error.strerror}") from None
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise sqlite3.OperationalError(f"{place.name}: {error.strerror}") from None


def was_stopped(error: sqlite3.Error) -> bool:
    """Whether a statement was broken off: by another thread, or by a signal, whose exception SQLite has swallowed."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def name_of(raw: bytes) -> tuple[str, bool]:
    """Return a name as text, and whether it can be used in SQL, which Python writes in UTF-8 only."""
    with suppress(UnicodeDecodeError):
        return raw.decode(), True
    return raw.decode("utf-8", "backslashreplace"), False


def number_columns(table: str, columns: Sequence[str]) -> str:
    """Return a query for all rows of a table that names its columns c0, c1 and so on, whatever their names are."""
    names = ", ".join(f"c{number}" for number in range(len(columns)))
    return f"WITH numbered ({names}) AS (SELECT * FROM main.{quote_name(table)}) SELECT {names} FROM numbered"  # noqa: S608


def quote_name(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
