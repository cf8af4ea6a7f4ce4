import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.domain.contracts import Block, Snapshot
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError, InconclusiveError, Reason
from harness.registry import store_source

__all__ = ["SqliteStore", "open_store"]

_WHOLE_TABLE_ROWS = 10_000  # a bigger table is judged by the rows with the run's ids and by how many others there are
_OTHERS = b"rows without this run's ids"


class SqliteStore:
    """A SQLite database, opened read only; a snapshot costs one query while no other connection has committed."""

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._busy = spec.busy
        self._connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        self._connection.text_factory = bytes
        self._latest: tuple[int, Mapping[str, Mapping[bytes, int]]] | None = None
        self._narrowed = False

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        try:
            version = self._rows("PRAGMA data_version")[0][0]
            if self._latest is not None and self._latest[0] == version:
                unchanged = self._latest[1]
                if before is None or before.tables is unchanged:
                    return Snapshot(unchanged)
            self._narrowed = False
            snapshot = self._read(ids, before)
        except sqlite3.Error as error:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {error}") from None
        # Where rows were chosen by ids, the next ids choose others.
        self._latest = None if self._narrowed else (version, snapshot.tables)
        return snapshot

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        tables: dict[str, Counter[bytes]] = {}
        fresh: list[Block] = []
        self._rows("BEGIN")
        try:
            names = self._rows(
                r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
            )
            for table in sorted(name.decode() for (name,) in names):
                known = {} if before is None else before.tables.get(table, {})
                counted: Counter[bytes] = Counter()
                for columns, row in self._table(table, ids, counted):
                    digest = blake2b(repr(row).encode(), digest_size=16).digest()
                    counted[digest] += 1
                    if before is not None and digest not in known:
                        fresh.append(Block(f"table {table}", _rendered(columns, row)))
                tables[table] = counted
        finally:
            self._rows("COMMIT")
        return Snapshot(tables, tuple(fresh))

    def _table(
        self, table: str, ids: Sequence[str], counted: Counter[bytes]
    ) -> Iterator[tuple[Sequence[str], tuple[Any, ...]]]:
        quoted = _quoted(table)
        total = self._rows(f"SELECT count(*) FROM {quoted}")[0][0]  # noqa: S608 (an identifier, quoted above)
        query, values = f"SELECT * FROM {quoted}", []  # noqa: S608
        narrow = self._busy or total > _WHOLE_TABLE_ROWS
        if narrow:
            self._narrowed = True
            columns = [name.decode() for _, name, *_ in self._rows(f"PRAGMA table_info({quoted})")]
            places = [f"instr({_quoted(column)}, ?) > 0" for column in columns for _ in ids]
            query += " WHERE " + (" OR ".join(places) or "0")
            values = [one for _ in columns for one in ids]
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        matched = 0
        for row in cursor:
            matched += 1
            yield names, row
        if narrow and not self._busy:
            counted[_OTHERS] = total - matched

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rendered(columns: Sequence[str], row: Sequence[Any]) -> bytes:
    """Return a row as bytes to search, a column a line."""
    cells = (value if isinstance(value, bytes) else str(value).encode() for value in row)
    return b"\n".join(b"%s: %s" % (column.encode(), cell) for column, cell in zip(columns, cells, strict=True))


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
