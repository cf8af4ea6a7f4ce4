import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from payproof.aside import GRACE, aside
from payproof.domain.source import Snapshot, Store
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.fingerprint import Fingerprint, LastLook
from payproof.sources.sqlite.connection import (
    COMMAND_OF_VIRTUAL,
    TABLES,
    connect,
    is_logged_ahead,
    name_of,
    number_columns,
    quote_name,
    read_change_counter,
)

__all__ = ["SqliteStore"]

_TRIES, _BETWEEN = 20, 0.005  # looks without a lock, and seconds between them


class SqliteStore(Store):
    """A SQLite database, opened read only; a snapshot costs one query while no other connection has committed.

    A reader's lock makes commits fail for a target that does not wait for locks, as many do not. So a look takes none,
    unless others write all the time, or keep to WAL, where a reader keeps nobody out.

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
        self._last = LastLook()

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
            if not is_logged_ahead(self._path):
                for _ in range(_TRIES):
                    found = self._look_between_changes(ids, before)
                    if found is not None:
                        return found
                    time.sleep(_BETWEEN)
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

    def _look_between_changes(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot | None:
        """Look without a lock; None where somebody has written meanwhile."""
        counter = read_change_counter(self._path)
        if counter is None:
            return None
        unchanged = self._last.still_true(("counter", counter), before)
        if unchanged is not None:
            return unchanged
        seen = Fingerprint(before, busy=self._busy)
        self._reading = connect(self._path, locks=False)
        try:
            self._read(ids, seen)
        except sqlite3.DatabaseError:
            if read_change_counter(self._path) == counter:
                raise
            return None
        finally:
            self._reading.close()
            self._reading = self._connection
        if read_change_counter(self._path) != counter:
            return None
        return self._last.keep(("counter", counter), seen)

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
