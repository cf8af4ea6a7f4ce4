import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.domain.contracts import Snapshot
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError, InconclusiveError, Reason
from harness.fingerprint import Fingerprint, LastLook
from harness.sources.sqlite.connection import TABLES, connected, quoted

__all__ = ["SqliteStore"]


class SqliteStore:
    """A SQLite database, opened read only; a snapshot costs one query while no other connection has committed.

    Raises:
        ConfigurationError: it cannot be opened.
    """

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._busy = spec.busy
        try:
            self._path, self._file = path, _file_at(path)
            self._connection = connected(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"store {spec.name!r}: {path}: {error}") from None
        self._last = LastLook()

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        try:
            if _file_at(self._path) != self._file:
                raise self._unreadable("its file was replaced, and what is open is no longer the target's database")
            version = self._rows("PRAGMA data_version")[0][0]
            unchanged = self._last.still_true(version, before)
            if unchanged is not None:
                return unchanged
            seen = Fingerprint(before, busy=self._busy)
            self._read(ids, seen)
        except OSError as error:
            raise self._unreadable(f"{error.strerror}: {self._path}") from None
        except sqlite3.Error as error:
            raise self._unreadable(str(error)) from None
        return self._last.keep(version, seen)

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _unreadable(self, why: str) -> InconclusiveError:
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {why}")

    def _read(self, ids: Sequence[str], seen: Fingerprint) -> None:
        self._rows("BEGIN")
        try:
            for table in [name.decode() for (name,) in self._rows(TABLES)]:
                self._add(table, ids, seen)
        finally:
            self._rows("COMMIT")

    def _add(self, table: str, ids: Sequence[str], seen: Fingerprint) -> None:
        place = quoted(table)
        total = self._rows(f"SELECT count(*) FROM {place}")[0][0]  # noqa: S608 (an identifier, quoted above)
        query, values = f"SELECT * FROM {place}", []  # noqa: S608
        narrow = seen.narrows(table, total)
        if narrow:
            columns = [name.decode() for _, name, *_ in self._rows(f"PRAGMA table_info({place})")]
            places = [f"instr({quoted(column)}, ?) > 0" for column in columns for _ in ids]
            query += " WHERE " + (" OR ".join(places) or "0")
            values = [one for _ in columns for one in ids]
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        seen.add(table, names, cursor, others_of=total if narrow else None)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


def _file_at(path: Path) -> tuple[int, int]:
    """Return which file stands at a path; an open connection stays with one that is removed or replaced."""
    state = path.stat()
    return state.st_dev, state.st_ino
