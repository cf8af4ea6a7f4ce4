import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import IsolationLevel, sql

from payproof.domain.tables import CELL, OVERLAP, Cell, Column, Table, Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.sources.postgresql import queries
from payproof.sources.postgresql.connection import Address, describe_error

__all__ = ["PostgresqlTables"]

# A table is read as long as it takes; its lock is still waited for in bounded time.
_SETTINGS = sql.SQL("{}, pg_catalog.set_config('statement_timeout', '0', true)").format(queries.SETTINGS)

#: Columns with their types' OIDs, what they are printed as, and their place in the primary key; dropped ones have none.
_COLUMNS_WHERE = sql.SQL("""
    SELECT
        nspname, relname, attname, format_type(atttypid, atttypmod),
        -- Of a domain, what it is a domain over.
        CASE WHEN typtype = 'd' THEN typbasetype ELSE atttypid END,
        array_position(conkey, attnum),
        attlen = -1
    FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_namespace ON pg_namespace.oid = relnamespace
        JOIN pg_type ON pg_type.oid = atttypid
        LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'm', 'f') {}
    ORDER BY nspname, relname, attnum
""")
_COLUMNS = _COLUMNS_WHERE.format(sql.SQL(""))
_COLUMNS_OF = _COLUMNS_WHERE.format(sql.SQL("AND nspname = %s AND relname = %s"))
_SIZES = sql.SQL("""
    SELECT nspname, relname, reltuples::bigint
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND reltuples >= 0
""")

#: Large objects belong to no table of anybody's, so that nothing else would read them.
_LARGE_OBJECTS = "pg_catalog.pg_largeobject"
_LARGE = sql.SQL("SELECT oid FROM pg_largeobject_metadata ORDER BY oid")
_PIECE = sql.SQL("SELECT lo_get(%s, %s, %s)")

# By OID: boolean, date, time, timestamp, timestamptz, interval, timetz, and arrays of them.
_LEFT_OUT = frozenset({16, 1082, 1083, 1114, 1184, 1186, 1266, 1000, 1182, 1183, 1115, 1185, 1187, 1270})
# Numbers, bytes, texts, and arrays of them; the rest is read as PostgreSQL prints it.
_TYPED = frozenset({17, 20, 21, 23, 25, 700, 701, 1700, 1001, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1231})
_JSON = frozenset({114, 3802})
_TEXT = 25
_BYTEA = 17
_NUMERIC = 1700

_MOST_COMPRESSED = 256  # times
_MOST_LONG = 100_000  # long values of a table that are remembered until its rows have been read
#: Where a row stands; within one transaction it stays there.
_WHERE = sql.SQL("tableoid::text || ' ' || ctid::text")
_PART = sql.SQL("SELECT substr({}, %s, %s) FROM {} WHERE tableoid = %s::oid AND ctid = %s::tid")


class _PostgresqlColumn(NamedTuple):
    name: str
    oid: int
    long: bool  # whether its values may be


class _PostgresqlRest(NamedTuple):
    """Where a value is that was too long to be read with its row."""

    key: str
    column: _PostgresqlColumn
    stands: tuple[str, str]


class PostgresqlTables(Tables):
    """A PostgreSQL database, each table in a transaction of its own that cannot write, streamed by COPY."""

    def __init__(self, spec: SourceSpec) -> None:
        self.name = spec.url
        self._ignored = frozenset(spec.ignore)
        self._address = Address(spec.url, None if spec.password is None else spec.password.reveal())
        self._connection: psycopg.Connection[Any] | None = None
        self._known: dict[str, queries.WatchedTable] = {}
        try:
            self._address.try_connection()
        except psycopg.Error as error:
            raise ConfigurationError(f"store {spec.name!r}: {describe_error(error, self._address.password)}") from None

    def tables(self) -> Sequence[Table]:
        """Return all tables, those that cannot be read included: of them the rows tell why.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        with self._read_only() as cursor:
            sizes = {(schema, name): rows for schema, name, rows in cursor.execute(_SIZES)}
            found = [queries.WatchedTable(*row[:3]) for row in cursor.execute(queries.TABLES)]
            large = cursor.execute(_LARGE).rowcount
        self._known = {table.name: table for table in found if table.name not in self._ignored}
        told = [Table(name, sizes.get((one.schema, one.table))) for name, one in self._known.items()]
        return [*told, Table(_LARGE_OBJECTS, large)] if large and _LARGE_OBJECTS not in self._ignored else told

    def columns(self) -> Sequence[Column]:
        """Return the columns of all tables.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        names = {(table.schema, table.table): name for name, table in self._tables().items()}
        with self._read_only() as cursor:
            return [
                Column(names[schema, table], name, type_)
                for schema, table, name, type_, *_ in cursor.execute(_COLUMNS)
                if (schema, table) in names
            ]

    def rows(self, table: str, most: int | None = None) -> Iterator[Cell]:
        """Yield each value of a table; a row without a key goes by its place (``ctid``).

        Raises:
            InconclusiveError: the table cannot be read, or not to its end.
        """
        if table == _LARGE_OBJECTS:
            with self._read_only(table) as cursor:
                yield from _read_large_objects(cursor, most)
            return
        known = self._tables().get(table)
        if known is None:
            raise self._unreadable("there is no such table", table)
        with self._read_only(table) as cursor:
            yield from _read_cells(cursor, known, most)

    def interrupt(self) -> None:
        """End the connection that another thread reads from."""
        connection = self._connection
        if connection is not None:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as own:
                own.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _tables(self) -> dict[str, queries.WatchedTable]:
        if not self._known:
            self.tables()
        return self._known

    @contextmanager
    def _read_only(self, table: str = "") -> Iterator[psycopg.Cursor[Any]]:
        """Yield a cursor in a transaction that only reads; the next one has a new connection if this one breaks."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._address.conninfo(), prepare_threshold=None)
                self._connection.read_only = True
                self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
            with self._connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                yield cursor
            self._connection.rollback()
        except BaseException as error:
            self.close()
            if isinstance(error, psycopg.Error):
                raise self._unreadable(describe_error(error, self._address.password), table) from None
            if isinstance(error, UnicodeError):
                raise self._unreadable("what it holds is not in the encoding that it states", table) from None
            raise

    def _unreadable(self, detail: str, table: str) -> InconclusiveError:
        where = f"{self.name}, table {table}" if table else self.name
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"{where}: {detail}")


def _read_cells(cursor: psycopg.Cursor[Any], table: queries.WatchedTable, most: int | None) -> Iterator[Cell]:
    described = [row[2:] for row in cursor.execute(_COLUMNS_OF, (table.schema, table.table))]
    chosen = [_PostgresqlColumn(name, oid, long and oid != _NUMERIC) for name, _, oid, _, long in described]
    chosen = [column for column in chosen if column.oid not in _LEFT_OUT]
    key = [name for name, _, _, place, _ in sorted(described, key=lambda one: one[3] or 0) if place]
    parts = [*map(_select_unless_long, chosen), _select_long(chosen)] if any(one.long for one in chosen) else None
    whole = table.reading(key, parts or [sql.Identifier(one.name) for one in chosen])
    rests: list[_PostgresqlRest] = []
    for query in [whole] if most is None else _make_sample_queries(cursor, table, whole, key, most):
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
            types = [one.oid if one.oid in _TYPED else _TEXT for one in chosen]
            copy.set_types([_TEXT] * (len(key) or 1) + types + [_TEXT] * (parts is not None))
            yield from _read_rows(copy.rows(), key, chosen, rests)
    for rest in rests[:_MOST_LONG]:
        yield from _read_parts(cursor, table, rest)
    if len(rests) > _MOST_LONG:
        raise psycopg.DataError(
            f"more than {_MOST_LONG:,} values are larger than {CELL:,} bytes; the others were not read"
        )


def _as_text(column: _PostgresqlColumn) -> sql.Composed:
    """Return a value as what can be measured and cut."""
    return sql.SQL("{}" if column.oid == _BYTEA else "{}::text").format(sql.Identifier(column.name))


def _is_long(column: _PostgresqlColumn) -> sql.Composed:
    # What is stored in so few bytes is not long: nothing that PostgreSQL compresses with makes more of it.
    size = sql.SQL("pg_column_size({}) > {}").format(sql.Identifier(column.name), CELL // _MOST_COMPRESSED)
    return sql.SQL("{} AND octet_length({}) > {}").format(size, _as_text(column), CELL)


def _select_unless_long(column: _PostgresqlColumn) -> sql.Composed:
    name = sql.Identifier(column.name)
    if not column.long:
        return sql.Composed([name])
    return sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(_is_long(column), name)


def _select_long(columns: Sequence[_PostgresqlColumn]) -> sql.Composed:
    """Ask which columns of a row are long, by their numbers, and where the row stands; NULL of a row without any."""
    numbers = sql.SQL(", ").join(
        sql.SQL("CASE WHEN {} THEN {} END").format(_is_long(column), sql.Literal(str(number)))
        for number, column in enumerate(columns)
        if column.long
    )
    return sql.SQL("nullif(concat_ws(',', {}), '') || ' ' || {}").format(numbers, _WHERE)


def _read_parts(cursor: psycopg.Cursor[Any], table: queries.WatchedTable, rest: _PostgresqlRest) -> Iterator[Cell]:
    query = _PART.format(_as_text(rest.column), table.place)
    start = 0
    while part := (cursor.execute(query, (start + 1, CELL, *rest.stands), binary=True).fetchone() or ("",))[0]:
        yield rest.key, rest.column.name, part
        if len(part) < CELL:
            return
        start += CELL - OVERLAP


def _read_large_objects(cursor: psycopg.Cursor[Any], most: int | None) -> Iterator[Cell]:
    for (oid,) in cursor.execute(_LARGE).fetchall()[:most]:
        offset = 0
        while piece := (cursor.execute(_PIECE, (oid, offset, CELL), binary=True).fetchone() or (b"",))[0]:
            yield f"oid={oid} from byte {offset}", "data", piece
            if len(piece) < CELL:
                break
            offset += CELL - OVERLAP


def _make_sample_queries(
    cursor: psycopg.Cursor[Any], table: queries.WatchedTable, whole: sql.Composed, key: Sequence[str], most: int
) -> list[sql.Composed]:
    """Return what asks for the rows with the first and the last keys, without a key for the first rows."""
    (counted,) = cursor.execute(table.count(most + 1)).fetchone() or (0,)
    if counted <= most:
        return [whole]
    if not key:
        return [sql.SQL("{} LIMIT {}").format(whole, most)]
    # With the table's name: the bare one would be taken for the text that is asked for.
    identifiers = [sql.Identifier(table.schema, table.table, name) for name in key]
    return [
        sql.SQL("{} ORDER BY {} LIMIT {}").format(
            whole, sql.SQL(", ").join(sql.SQL("{} " + order).format(name) for name in identifiers), limit
        )
        for order, limit in (("ASC", most - most // 2), ("DESC", most // 2))
        if limit
    ]


def _read_rows(
    rows: Iterator[tuple[Any, ...]],
    key: Sequence[str],
    columns: Sequence[_PostgresqlColumn],
    rests: list[_PostgresqlRest],
) -> Iterator[Cell]:
    """Yield the values of rows, and remember those that are long."""
    width = len(key) or 1
    for row in rows:
        place = ", ".join(f"{name}={value}" for name, value in zip(key or ("ctid",), row, strict=False))
        for column, value in zip(columns, row[width : width + len(columns)], strict=True):
            if value is not None:
                yield place, column.name, _parse_json(value) if column.oid in _JSON else value
        if len(row) > width + len(columns) and row[-1] is not None and len(rests) <= _MOST_LONG:
            numbers, oid, stands = row[-1].split(" ")
            rests += (_PostgresqlRest(place, columns[int(number)], (oid, stands)) for number in numbers.split(","))


def _parse_json(text: str) -> object:
    """Return what JSON says; as it stands where Python reads less than PostgreSQL (long numbers, deep nesting)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
