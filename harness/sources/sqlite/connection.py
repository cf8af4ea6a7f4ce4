import sqlite3
from pathlib import Path
from urllib.parse import quote

__all__ = ["TABLES", "connected", "quoted"]

_WAIT = 5.0  # seconds for a lock

#: All that holds rows, but for what SQLite keeps for itself.
TABLES = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name"


def connected(path: Path) -> sqlite3.Connection:
    """Open a database read only; texts come as bytes, as nothing says that they are UTF-8.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = bytes
    return connection


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'
