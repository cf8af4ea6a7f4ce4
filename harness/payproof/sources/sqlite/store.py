import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from payproof.aside import GRACE, aside
from payproof.domain.source import Snapshot, Store
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.fingerprint import Fingerprint, KnownRows, LastLook
from payproof.sources.sqlite.connection import (
    COMMAND_OF_VIRTUAL,
    TABLES,
    connect,
    copy_into_memory,
    name_of,
    number_columns,
    quote_name,
)

__all__ = ["SqliteStore"]

_MOST_COPIED = 64 * 1024 * 1024


class SqliteStore(Store):
    """A SQLite database, opened read only; a snapshot costs one query while no other connection has committed.

    A reader's lock makes commits fail for a target that does not wait for locks, as many do not. So it is held for as
    short as can be: a small database is copied, and the copy is read. In WAL mode a reader keeps nobody out.

    Raises:
        ConfigurationError: it cannot be opened.
    """

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._ignored, self._busy = frozenset(spec.ignore), spec.busy
        try:
            self._path, self._file = path, _file_at(path)
            self._connection = self._reading = connect(path)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"store {spec.name!r}: {path}: {error}") from None
        self._last, self._known = LastLook(), KnownRows()

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        return await aside(lambda: self._look(ids, before), interrupt=self._interrupt)

    async def close(self) -> None:
        """Close the connection; one that a statement hangs on is left to the end of the process."""
        with suppress(TimeoutError):
            await aside(self._connection.close, interrupt=self._interrupt, seconds=GRACE)

    def _interrupt(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was closed in the meantime
            self._reading.interrupt()

    def _look(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        try:
            if _file_at(self._path) != self._file:
                raise self._unreadable("its file was replaced, and what is open is no longer the target's database")
            version = self._rows("PRAGMA data_version")[0][0]
            unchanged = self._last.still_true(version, before)
            if unchanged is not None:
                return unchanged
            seen = Fingerprint(before, self._known, busy=self._busy)
            if self._keeps_writers_out():
                self._reading = copy_into_memory(self._connection)
            try:
                self._read(ids, seen)
            finally:
                self._close_copy()
        except OSError as error:
            raise self._unreadable(f"{error.strerror}: {self._path}") from None
        except sqlite3.Error as error:
            raise self._unreadable(str(error)) from None
        return self._last.keep(version, seen)

    def _keeps_writers_out(self) -> bool:
        """Whether a long look would keep writers out, and need not."""
        if self._rows("PRAGMA journal_mode")[0][0] == b"wal":
            return False
        pages, size = (self._rows(f"PRAGMA {name}")[0][0] for name in ("page_count", "page_size"))
        return bool(pages * size <= _MOST_COPIED)

    def _close_copy(self) -> None:
        if self._reading is not self._connection:
            self._reading.close()
            self._reading = self._connection

    def _unreadable(self, why: str) -> InconclusiveError:
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {why}")

    def _read(self, ids: Sequence[str], seen: Fingerprint) -> None:
        self._rows("BEGIN")
        try:
            for (raw,) in self._rows(TABLES):
                table, usable = name_of(raw)
                if usable:
                    self._add(table, ids, seen)
                elif table not in self._ignored:
                    detail = (
                        f"store {self.name}: table {table} has a name that is no UTF-8, so it cannot be read; ignore it"
                    )
                    raise InconclusiveError(Reason.SOURCE_UNREADABLE, detail)
        finally:
            self._rows("COMMIT")

    def _add(self, table: str, ids: Sequence[str], seen: Fingerprint) -> None:
        place = quote_name(table)
        total = self._rows(f"SELECT count(*) FROM {place}")[0][0]  # noqa: S608 (an identifier, quoted above)
        described = self._rows(f"PRAGMA table_xinfo({place})")
        columns = [name_of(name)[0] for _, name, _, _, _, _, hidden in described if hidden != COMMAND_OF_VIRTUAL]
        query, values = number_columns(table, columns), []
        narrow = seen.narrows(table, total)
        if narrow:
            places = [f"instr(c{number}, ?) > 0" for number in range(len(columns)) for _ in ids]
            query += " WHERE " + (" OR ".join(places) or "0")
            values = [one for _ in columns for one in ids]
        cursor = self._reading.execute(query, values)
        seen.add(table, columns, cursor, others_of=total if narrow else None)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._reading.execute(query).fetchall()


def _file_at(path: Path) -> tuple[int, int]:
    """Return which file stands at a path; an open connection stays with one that is removed or replaced."""
    state = path.stat()
    return state.st_dev, state.st_ino
