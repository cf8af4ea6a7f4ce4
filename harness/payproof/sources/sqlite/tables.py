import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from payproof.domain.tables import CELL, OVERLAP, Cell, Column, Table, Tables
from payproof.domain.target import SourceSpec
from payproof.errors import InconclusiveError, Reason
from payproof.sources.sqlite.connection import (
    COMMAND_OF_VIRTUAL,
    TABLES,
    connect,
    name_of,
    number_columns,
    quote_name,
    was_stopped,
)

__all__ = ["SqliteTables"]

_ROWID = ("rowid", "_rowid_", "oid")  # names of what tells rows apart; a column of the same name takes one's place


class _Shape(NamedTuple):
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rowid: str  # what SQLite itself tells rows apart by, if it does
    usable: bool = True  # whether all of its columns can be named in SQL


class SqliteTables(Tables):
    """A SQLite database; a value has the type that it was stored with, whatever its column says."""

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.url
        self._ignored = frozenset(spec.ignore)
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._interrupted = False
        self._unusable: frozenset[str] = frozenset()

    def tables(self) -> Sequence[Table]:
        """Return all tables; SQLite does not know how many rows they have.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        try:
            names = [name_of(name) for (name,) in self._connect().execute(TABLES)]
        except sqlite3.Error as error:
            raise self._unreadable("", error) from None
        self._unusable = frozenset(name for name, usable in names if not usable)
        return [Table(name) for name, _ in names if name not in self._ignored]

    def columns(self) -> Sequence[Column]:
        """Return the columns of all tables; one that cannot be looked at has none, and its rows tell why.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        found: list[Column] = []
        for table in self.tables():
            try:
                described = self._describe(table.name)
            except sqlite3.Error:
                continue
            found += (Column(table.name, name, type_) for name, _, type_, _ in described)
        return found

    def rows(self, table: str, most: int | None = None) -> Iterator[Cell]:
        """Yield each value of a table.

        Raises:
            InconclusiveError: the table cannot be read, or not to its end.
        """
        if table in self._unusable:
            detail = f"{self.name}, table {table}: its name is no UTF-8, so its rows cannot be asked for"
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, detail)
        try:
            shape = self._shape(table)
            queries = self._queries(table, shape, most)
            if queries is None:
                yield from self._all(table, shape)
                return
            for query in queries:
                for number, row in enumerate(self._connect().execute(query), 1):
                    yield from _cells(shape, row, _key(shape.key, row) or f"row {number}")
        except sqlite3.Error as error:
            raise self._unreadable(table, error) from None

    def interrupt(self) -> None:
        """Break off the statement that another thread waits for."""
        self._interrupted = True
        if self._connection is not None:
            with suppress(sqlite3.ProgrammingError):  # it was closed in the meantime
                self._connection.interrupt()

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _all(self, table: str, shape: _Shape) -> Iterator[Cell]:
        """Yield each value in the order of SQLite's own numbers, and go on behind a row in which one is too large."""
        rowid, query = shape.rowid, _select(table, shape, shape.rowid)
        last: int | None = None
        while True:
            behind = "" if last is None else f" WHERE {rowid} > {last:d}"
            try:
                for row in self._connect().execute(f"{query}{behind} ORDER BY {rowid}"):
                    last = row[0]
                    yield from _cells(shape, row[1:], _key(shape.key, row[1:]))
            except sqlite3.DataError:
                (last,) = self._connect().execute(f"SELECT min({rowid}) FROM {quote_name(table)}{behind}").fetchone()  # noqa: S608
                assert last is not None
                yield from self._large(table, shape, last)
            else:
                return

    def _large(self, table: str, shape: _Shape, rowid: int) -> Iterator[Cell]:
        """Yield the values of a row of which one at least is too large to be read at once."""
        key = ", ".join(f"{name}={_show(self._value(table, name, shape, rowid))}" for name in shape.key)
        for column in shape.columns:
            try:
                value = self._value(table, column, shape, rowid)
            except sqlite3.DataError:
                with self._connect().blobopen(table, column, rowid, readonly=True) as blob:
                    start = 0
                    while start == 0 or start + OVERLAP < len(blob):
                        blob.seek(start)
                        yield key, column, blob.read(CELL)
                        start += CELL - OVERLAP
            else:
                if value is not None:
                    yield key, column, value

    def _value(self, table: str, name: str, shape: _Shape, rowid: int) -> object:
        chosen = name if name in _ROWID and name not in shape.columns else quote_name(name)
        query = f"SELECT {chosen} FROM {quote_name(table)} WHERE {shape.rowid} = {rowid:d}"  # noqa: S608
        (value,) = self._connect().execute(query).fetchone()
        return value

    def _connect(self) -> sqlite3.Connection:
        if self._interrupted:
            raise sqlite3.OperationalError("it was broken off")
        if self._connection is None:
            self._connection = connect(self._path)
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL)
        return self._connection

    def _describe(self, table: str) -> list[tuple[str, bool, str, int]]:
        """Return name, whether SQL can use it, declared type and place in the primary key of each column."""
        described = self._connect().execute(f"PRAGMA table_xinfo({quote_name(table)})")
        return [
            (*name_of(name), _text(type_), place)
            for _, name, type_, _, _, place, hidden in described
            if hidden != COMMAND_OF_VIRTUAL
        ]

    def _shape(self, table: str) -> _Shape:
        described = self._describe(table)
        columns = tuple(name for name, *_ in described)
        if not all(usable for _, usable, *_ in described):
            return _Shape(columns, (), "", usable=False)
        key = tuple(name for name, *_, place in sorted(described, key=lambda one: one[3]) if place)
        taken = {name.lower() for name in columns}
        rowid = next((name for name in _ROWID if name not in taken and self._has(table, name)), "")
        return _Shape(columns, key or ((rowid,) if rowid else ()), rowid)

    def _has(self, table: str, name: str) -> bool:
        try:
            # Without quotes: SQLite takes an unknown name in quotes for a text.
            self._connect().execute(f"SELECT {name} FROM {quote_name(table)} LIMIT 0")  # noqa: S608 (see _ROWID)
        except sqlite3.Error:
            return False
        return True

    def _queries(self, table: str, shape: _Shape, most: int | None) -> list[str] | None:
        """Return what asks for the rows; None where all of them are read in SQLite's own order."""
        query = _select(table, shape)
        if most is None or self._count(table, most + 1) <= most:
            return None if shape.rowid else [query]
        if not shape.key:
            return [f"{query} LIMIT {most}"]
        key = _identifiers(shape)
        return [
            f"{query} ORDER BY {', '.join(f'{name} {order}' for name in key)} LIMIT {limit}"
            for order, limit in (("ASC", most - most // 2), ("DESC", most // 2))
        ]

    def _count(self, table: str, most: int) -> int:
        counted = f"SELECT count(*) FROM (SELECT 1 FROM {quote_name(table)} LIMIT {most})"  # noqa: S608 (as above)
        return int(self._connect().execute(counted).fetchone()[0])

    def _unreadable(self, table: str, error: sqlite3.Error) -> BaseException:
        if was_stopped(error) and not self._interrupted:
            return KeyboardInterrupt()
        where = f"{self.name}, table {table}" if table else self.name
        why = str(error)
        if isinstance(error, sqlite3.DataError):
            why = f"a value is larger than {CELL:,} bytes, which is not read here; nor is the rest of the table"
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"{where}: {why}")


def _identifiers(shape: _Shape) -> list[str]:
    return [name if name in _ROWID and name not in shape.columns else quote_name(name) for name in shape.key]


def _select(table: str, shape: _Shape, *more: str) -> str:
    if not shape.usable:
        return number_columns(table, shape.columns)
    chosen = ", ".join([*more, *_identifiers(shape), *map(quote_name, shape.columns)])
    return f"SELECT {chosen} FROM {quote_name(table)}"  # noqa: S608 (identifiers, quoted above)


def _cells(shape: _Shape, row: Sequence[object], key: str) -> Iterator[Cell]:
    for column, value in zip(shape.columns, row[len(shape.key) :], strict=True):
        if value is not None:
            yield key, column, value


def _key(names: Sequence[str], row: Sequence[object]) -> str:
    return ", ".join(f"{name}={_show(value)}" for name, value in zip(names, row, strict=False))


def _show(value: object) -> str:
    return _text(value) if isinstance(value, bytes) else str(value)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
