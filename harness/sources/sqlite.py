import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.domain.contracts import Snapshot
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError, InconclusiveError, Reason
from harness.fingerprint import Fingerprint, LastLook
from harness.registry import store_source

__all__ = ["SqliteStore", "open_store"]


class SqliteStore:
    """A SQLite database, opened read only; a snapshot costs one query while no other connection has committed."""

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._busy = spec.busy
        self._connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        self._connection.text_factory = bytes
        self._last = LastLook()

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        try:
            version = self._rows("PRAGMA data_version")[0][0]
            unchanged = self._last.still_true(version, before)
            if unchanged is not None:
                return unchanged
            seen = Fingerprint(before, busy=self._busy)
            self._read(ids, seen)
        except sqlite3.Error as error:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {error}") from None
        return self._last.keep(version, seen)

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, ids: Sequence[str], seen: Fingerprint) -> None:
        self._rows("BEGIN")
        try:
            names = self._rows(
                r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
            )
            for table in sorted(name.decode() for (name,) in names):
                self._add(table, ids, seen)
        finally:
            self._rows("COMMIT")

    def _add(self, table: str, ids: Sequence[str], seen: Fingerprint) -> None:
        quoted = _quoted(table)
        total = self._rows(f"SELECT count(*) FROM {quoted}")[0][0]  # noqa: S608 (an identifier, quoted above)
        query, values = f"SELECT * FROM {quoted}", []  # noqa: S608
        narrow = seen.narrows(table, total)
        if narrow:
            columns = [name.decode() for _, name, *_ in self._rows(f"PRAGMA table_info({quoted})")]
            places = [f"instr({_quoted(column)}, ?) > 0" for column in columns for _ in ids]
            query += " WHERE " + (" OR ".join(places) or "0")
            values = [one for _ in columns for one in ids]
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        seen.add(table, names, cursor, others_of=total if narrow else None)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@store_source("sqlite")
def open_store(spec: SourceSpec) -> SqliteStore:
    """Open ``sqlite:PATH``.

    Raises:
        ConfigurationError: there is no such database.
    """
    path = Path(spec.url.removeprefix("sqlite:"))
    if not path.is_file():
        raise ConfigurationError(f"store {spec.name!r}: there is no SQLite database at {path}")
    try:
        return SqliteStore(spec, path)
    except sqlite3.Error as error:
        raise ConfigurationError(f"store {spec.name!r}: {path}: {error}") from None
