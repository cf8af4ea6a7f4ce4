from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.cursors import SSCursor

from payproof.domain.tables import CELL, OVERLAP, Cell, Column, Table, Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason

__all__ = ["MysqlTables", "describe_error", "end_connection", "print_value", "quote_name", "read_address"]

_CONNECT_SECONDS = 10
_READ_SECONDS = 300
# The server waits so long for a reader that searches what it has; a lock is waited for only shortly.
_SETTINGS = (
    "SET SESSION net_write_timeout = 600, lock_wait_timeout = 5",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION READ ONLY",
)
_PARAMETERS = frozenset({"ssl_ca", "unix_socket"})
_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
_LEFT_OUT = frozenset({"date", "datetime", "time", "timestamp", "year"})
#: What may hold more than is read at once.
_LONG = frozenset({"mediumtext", "longtext", "mediumblob", "longblob", "json", "geometry"})
_MOST_LONG = 100_000  # long values of a table that are remembered until its rows have been read
_TABLES = """
    SELECT table_schema, table_name, table_rows FROM information_schema.tables
    WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY table_schema, table_name
"""
_COLUMNS = """
    SELECT table_schema, table_name, column_name, column_type, data_type FROM information_schema.columns {where}
    ORDER BY table_schema, table_name, ordinal_position
"""
_KEYS = """
    SELECT table_schema, table_name, column_name FROM information_schema.key_column_usage
    WHERE constraint_name = 'PRIMARY' AND table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_ALL_COLUMNS = _COLUMNS.format(where="")
_COLUMNS_OF = _COLUMNS.format(where="WHERE table_schema = %s AND table_name = %s")


class _MysqlColumn(NamedTuple):
    name: str
    type: str
    read: bool
    long: bool


class MysqlTables(Tables):
    """A MySQL or MariaDB database, each table in a transaction of its own that cannot write, streamed row by row."""

    def __init__(self, spec: SourceSpec) -> None:
        self.name = spec.url
        self._ignored = frozenset(spec.ignore)
        self._asked, self._database = read_address(spec)
        self._connection: pymysql.Connection[Any] | None = None
        self._known: dict[str, tuple[str, str]] = {}
        try:
            self._connect()
        except (pymysql.Error, OSError, ValueError) as error:
            raise ConfigurationError(f"store {spec.name!r}: {describe_error(error)}") from None

    def tables(self) -> Sequence[Table]:
        """Return all tables that the user can see; the server estimates their rows.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        with self._read_only() as cursor:
            cursor.execute(_TABLES)
            found = {
                self._name_table(schema, table): (schema, table, rows) for schema, table, rows in cursor.fetchall()
            }
        found = {name: one for name, one in found.items() if self._is_watched(one[0]) and name not in self._ignored}
        self._known = {name: (schema, table) for name, (schema, table, _) in found.items()}
        return [Table(name, rows) for name, (_, _, rows) in found.items()]

    def columns(self) -> Sequence[Column]:
        """Return the columns of all tables.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        names = {place: name for name, place in self._places().items()}
        with self._read_only() as cursor:
            cursor.execute(_ALL_COLUMNS)
            return [
                Column(names[schema, table], name, type_)
                for schema, table, name, type_, _ in cursor.fetchall()
                if (schema, table) in names
            ]

    def rows(self, table: str, most: int | None = None) -> Iterator[Cell]:
        """Yield each value of a table; a row without a key goes by its number.

        Raises:
            InconclusiveError: the table cannot be read, or not to its end.
        """
        place = self._places().get(table)
        if place is None:
            raise self._unreadable("there is no such table", table)
        with self._read_only(table) as cursor:
            described, key = _describe(cursor, place)
            columns = [column for column in described if column.read]
            rests: list[_MysqlRest] = []
            cut = 0
            for query in _make_queries(cursor, place, key, columns, most):
                cursor.execute(query)
                for number, row in enumerate(iter(cursor.fetchone, None), 1):
                    known = ", ".join(f"{name}={print_value(value)}" for name, value in zip(key, row, strict=False))
                    values = iter(row[len(key) :])
                    for column in columns:
                        value = next(values)
                        if value is not None:
                            yield known or f"row {number}", column.name, value
                        if column.long and (next(values) or 0) > CELL:
                            rest = _MysqlRest(known, column.name, row[: len(key)])
                            cut += not _remember(rests, rest)
            for rest in rests:
                yield from _read_parts(cursor, place, key, rest)
            if cut:
                raise self._unreadable(
                    f"of {cut:,} values larger than {CELL:,} bytes only the beginning was read", table
                )

    def interrupt(self) -> None:
        """End the connection that another thread reads from."""
        end_connection(self._connection)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.open:
            connection.close()

    def _connect(self) -> "pymysql.Connection[Any]":
        if self._connection is None:
            self._connection = pymysql.connect(
                **self._asked,
                charset="utf8mb4",
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                cursorclass=SSCursor,
                autocommit=True,
            )
        return self._connection

    @contextmanager
    def _read_only(self, table: str = "") -> Iterator[Any]:
        """Yield a cursor in a transaction that only reads; the next one has a new connection if this one breaks."""
        cursor: Any = None
        try:
            connection = self._connect()
            cursor = connection.cursor()
            for setting in _SETTINGS:
                cursor.execute(setting)
            yield cursor
            cursor.close()
            connection.rollback()
        except BaseException as error:
            self._drop_connection(cursor)
            if isinstance(error, (pymysql.Error, OSError)):
                raise self._unreadable(describe_error(error), table) from None
            raise

    def _drop_connection(self, cursor: Any) -> None:
        """Let go of a connection whose rows have not all come; the driver would wait for them."""
        connection, self._connection = cast("Any", self._connection), None
        result = getattr(cursor, "_result", None)
        if result is not None:
            result.unbuffered_active, result.connection, cursor.connection = False, None, None
        if connection is not None:
            connection._force_close()  # noqa: SLF001 (see above)

    def _places(self) -> dict[str, tuple[str, str]]:
        if not self._known:
            self.tables()
        return self._known

    def _is_watched(self, schema: str) -> bool:
        return schema == self._database if self._database else schema.lower() not in _SYSTEM

    def _name_table(self, schema: str, table: str) -> str:
        return table if self._database else f"{schema}.{table}"

    def _unreadable(self, detail: str, table: str) -> InconclusiveError:
        where = f"{self.name}, table {table}" if table else self.name
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"{where}: {detail}")


class _MysqlRest(NamedTuple):
    """Where the rest of a value is, of which the beginning was read."""

    known: str
    column: str
    key: Sequence[Any]


def _remember(rests: list[_MysqlRest], rest: _MysqlRest) -> bool:
    """Remember a value to go on with; without a key there is no way back to it."""
    if not rest.key or len(rests) >= _MOST_LONG:
        return False
    rests.append(rest)
    return True


def _read_parts(cursor: Any, place: tuple[str, str], key: Sequence[str], rest: _MysqlRest) -> Iterator[Cell]:
    chosen, table = quote_name(rest.column).replace("%", "%%"), ".".join(map(quote_name, place)).replace("%", "%%")
    where = " AND ".join(f"{quote_name(name).replace('%', '%%')} <=> %s" for name in key)
    query = f"SELECT SUBSTRING({chosen}, %s, {CELL}) FROM {table} WHERE {where}"  # noqa: S608 (quoted identifiers)
    start = CELL - OVERLAP
    while True:
        cursor.execute(query, (start + 1, *rest.key))
        found = cursor.fetchall()
        part = found[0][0] if found else None
        if not part:
            return
        yield rest.known, rest.column, part
        if len(part) < CELL:
            return
        start += CELL - OVERLAP


def read_address(spec: SourceSpec) -> tuple[dict[str, Any], str]:
    """Return the driver's parameters for an address, and the database."""
    parts = urlsplit(spec.url)
    parameters = dict(parse_qsl(parts.query))
    unknown = sorted(parameters.keys() - _PARAMETERS)
    try:
        port = parts.port or 3306
    except ValueError:
        raise ConfigurationError(f"store {spec.name!r}: the port in its URL is not a number") from None
    if unknown:
        hint = f"known: {', '.join(sorted(_PARAMETERS))}"
        raise ConfigurationError(f"store {spec.name!r}: unknown parameter {unknown[0]!r} in its URL", hint=hint)
    if "ssl_ca" in parameters:
        parameters |= {"ssl_verify_cert": True, "ssl_verify_identity": True}  # type: ignore[dict-item]
    database = unquote(parts.path.strip("/"))
    # The driver writes a password as Latin-1; what a server compares is UTF-8.
    password = b"" if spec.password is None else spec.password.reveal().encode()
    login = {"user": unquote(parts.username or ""), "password": password}
    return {"host": parts.hostname or "localhost", "port": port, **login, **parameters}, database


def _describe(cursor: Any, place: tuple[str, str]) -> tuple[list[_MysqlColumn], list[str]]:
    # The server compares names without case; two tables may differ by it alone.
    cursor.execute(_COLUMNS_OF, place)
    rows = [row[2:] for row in cursor.fetchall() if row[:2] == place]
    cursor.execute(_KEYS, place)
    key = [row[2] for row in cursor.fetchall() if row[:2] == place]
    return [_MysqlColumn(name, type_, data not in _LEFT_OUT, data in _LONG) for name, type_, data in rows], key


def _make_queries(
    cursor: Any, place: tuple[str, str], key: Sequence[str], columns: Sequence[_MysqlColumn], most: int | None
) -> Iterator[str]:
    table = ".".join(map(quote_name, place))
    chosen = ", ".join([*map(quote_name, key), *map(_select_beginning, columns)]) or "1"
    query = f"SELECT {chosen} FROM {table}"  # noqa: S608 (quoted identifiers)
    if most is not None:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {most + 1}) AS counted")  # noqa: S608
        ((counted,),) = cursor.fetchall()
        if counted <= most:
            most = None
    if most is None:
        yield query
    elif not key:
        yield f"{query} LIMIT {most}"
    else:
        for order, limit in (("ASC", most - most // 2), ("DESC", most // 2)):
            yield f"{query} ORDER BY {', '.join(f'{quote_name(name)} {order}' for name in key)} LIMIT {limit}"


def _select_beginning(column: _MysqlColumn) -> str:
    """Ask for a column, of a long value for its beginning, and for how long it is."""
    name = quote_name(column.name)
    if not column.long:
        return name
    return f"IF(OCTET_LENGTH({name}) > {CELL}, SUBSTRING({name}, 1, {CELL}), {name}), OCTET_LENGTH({name})"


def end_connection(connection: "pymysql.Connection[Any] | None") -> None:
    """End a connection under whoever waits for it in another thread."""
    socket: Any = getattr(connection, "_sock", None)
    if socket is not None:
        with suppress(OSError):
            socket.shutdown(SHUT_RDWR)


def quote_name(name: str) -> str:
    """Return a name as an identifier of SQL."""
    # The driver's own mark for parameters is not looked for where no parameters are given.
    return "`" + name.replace("`", "``") + "`"


def print_value(value: object) -> str:
    """Return a value as the server prints it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def describe_error(error: Exception) -> str:
    """Return what is wrong as one printable line; the driver's texts hold no password."""
    text = " ".join(str(error.args[-1] if error.args else error).split())
    return "".join(character if character.isprintable() else "?" for character in text)
