"""Writes rows into a target's database, where its file names a role that may: what is to be purged must be there."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

from payproof.domain.target import SourceSpec, Value
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.extras import install

__all__ = ["WRITABLE", "DatabaseWriter"]


class DatabaseWriter:
    """A database that rows are written into, one in each connection.

    Raises:
        ConfigurationError: its driver is not installed, or there is none for it.
    """

    def __init__(self, spec: SourceSpec) -> None:
        scheme = spec.url.partition(":")[0]
        if scheme not in WRITABLE:
            raise ConfigurationError(f"{spec.name}: rows cannot be written by {scheme!r}", hint=", ".join(WRITABLE))
        self._spec, self._insert = spec, WRITABLE[scheme]

    def insert(self, table: str, values: Mapping[str, Value]) -> None:
        """Write one row.

        Raises:
            InconclusiveError: it cannot be written.
        """
        try:
            self._insert(self._spec, table, values)
        except ImportError:
            raise self._refusal(table, install(self._spec.url.partition(":")[0])) from None

    def _refusal(self, table: str, why: str) -> InconclusiveError:
        return InconclusiveError(Reason.NOT_PLANTED, f"table {table}: {why}")


def _sqlite(spec: SourceSpec, table: str, values: Mapping[str, Value]) -> None:
    from payproof.sources.sqlite.connection import quote_name  # noqa: PLC0415 (as the others)

    places = ", ".join("?" for _ in values)
    names = ", ".join(map(quote_name, values))
    try:
        with closing(sqlite3.connect(spec.url.removeprefix("sqlite:"), timeout=_SECONDS)) as connection, connection:
            connection.execute(f"INSERT INTO {quote_name(table)} ({names}) VALUES ({places})", [*values.values()])  # noqa: S608
    except sqlite3.Error as error:
        raise InconclusiveError(Reason.NOT_PLANTED, f"table {table}: {error}") from None


def _postgresql(spec: SourceSpec, table: str, values: Mapping[str, Value]) -> None:
    import psycopg  # noqa: PLC0415 (only an extra has it)
    from psycopg import sql  # noqa: PLC0415

    from payproof.sources.postgresql.connection import Address, describe_error  # noqa: PLC0415

    password = None if spec.password is None else spec.password.reveal()
    # As texts: the server makes of them what the columns are.
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Literal(str(value)) for value in values.values()),
    )
    try:
        with psycopg.connect(Address(spec.url, password).conninfo()) as connection:
            connection.execute(query)
    except psycopg.Error as error:
        raise InconclusiveError(Reason.NOT_PLANTED, f"table {table}: {describe_error(error, password)}") from None


def _mysql(spec: SourceSpec, table: str, values: Mapping[str, Value]) -> None:
    import pymysql  # noqa: PLC0415 (only an extra has it)

    from payproof.sources.mysql.tables import describe_error, quote_name, read_address  # noqa: PLC0415

    address, database = read_address(spec)
    names, places = ", ".join(map(quote_name, values)), ", ".join("%s" for _ in values)
    place = ".".join(map(quote_name, table.split(".")))
    try:
        with (
            pymysql.connect(**address, database=database, charset="utf8mb4", connect_timeout=_SECONDS) as connection,
            connection.cursor() as cursor,
        ):
            # The driver's mark for parameters may stand in a name.
            names, place = names.replace("%", "%%"), place.replace("%", "%%")
            cursor.execute(f"INSERT INTO {place} ({names}) VALUES ({places})", [*values.values()])  # noqa: S608
            connection.commit()
    except (pymysql.Error, OSError) as error:
        raise InconclusiveError(Reason.NOT_PLANTED, f"table {table}: {describe_error(error)}") from None


_SECONDS = 10

#: What writes a row, by the scheme of the database's URL.
WRITABLE: Mapping[str, Callable[[SourceSpec, str, Mapping[str, Value]], None]] = {
    "mysql": _mysql,
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}
