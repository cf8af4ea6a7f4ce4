import errno
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from payproof.files.open_file import NoFileError, require_file

__all__ = [
    "COMMAND_OF_VIRTUAL",
    "TABLES",
    "connect",
    "is_logged_ahead",
    "name_of",
    "number_columns",
    "quote_name",
    "read_change_counter",
    "was_stopped",
]

_WAIT = 5.0  # seconds for a lock
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite opens as well where it is there
_LONGEST_PATTERN = 100  # of LIKE in a generated column: the time that one takes grows with the power of its wildcards
#: The mark of ``table_xinfo`` for a column that gives commands to a virtual table; it holds nothing.
COMMAND_OF_VIRTUAL = 1
_HEADER = 100  # bytes
_INSTRUCTIONS = 100_000  # of a statement, after which a signal is looked for

#: All that holds rows, but for what SQLite keeps for itself.
TABLES = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"


def connect(path: Path, *, locks: bool = True) -> sqlite3.Connection:
    """Open a database read only; texts come as bytes, as nothing says that they are UTF-8.

    Without ``locks`` no writer is ever kept out, and what is read is right only where nobody wrote meanwhile.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    real = path.resolve()  # they stand beside the file itself, not beside a link to it
    for place in (real, *(real.with_name(real.name + suffix) for suffix in _BESIDE)):
        _require_file(place)
    how = "mode=ro" if locks else "mode=ro&immutable=1"
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{how}", uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
    )
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


def is_logged_ahead(path: Path) -> bool:
    """Whether a database is in WAL mode, in which readers keep no writer out."""
    return _read_header(path)[18:20] == b"\2\2"


def read_change_counter(path: Path) -> int | None:
    """Return the number of changes that a database's file tells, or None where somebody is writing (file format, 1.3).

    A writer has a journal from before its first page until its change is whole. Two equal numbers have no change
    between them.
    """
    if _is_written(path):
        return None
    header = _read_header(path)
    return None if _is_written(path) or len(header) < _HEADER else int.from_bytes(header[24:28], "big")


def _read_header(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return file.read(_HEADER)


def _is_written(path: Path) -> bool:
    """Whether there is a journal that is not empty; one that is kept has zeros at its beginning."""
    real = path.resolve()
    with suppress(FileNotFoundError), real.with_name(real.name + "-journal").open("rb") as journal:
        return any(journal.read(8))
    return False


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
