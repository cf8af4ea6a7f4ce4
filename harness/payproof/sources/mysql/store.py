from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pymysql
from pymysql.constants import CR

from payproof.aside import aside
from payproof.domain.source import Snapshot, Store
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.fingerprint import WHOLE_TABLE_ROWS, Fingerprint, KnownRows
from payproof.sources.mysql.tables import describe_error, end_connection, print_value, quote_name, read_address

__all__ = ["MysqlStore"]

_SECONDS = 30
#: A connection was cut, as by a server that is stopped; what was kept may have been cut long before.
_LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST})
_SETTINGS = ("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION lock_wait_timeout = 5")
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'"


class MysqlStore(Store):
    """A MySQL or MariaDB database, read in transactions that cannot write; every look reads every table.

    The server has no number that tells whether anything was committed since the last look.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self.name = spec.name
        self._busy = spec.busy
        self._asked, self._database = read_address(spec)
        self._connection: pymysql.Connection[Any] | None = None
        self._known = KnownRows()
        if not self._database:
            raise ConfigurationError(f"store {spec.name!r}: its URL names no database", hint=_example(spec))

    def try_connection(self) -> None:
        """Connect once, so that a wrong address fails before anything is sent.

        Raises:
            ConfigurationError: no connection can be made.
        """
        try:
            self._connect()
        except (pymysql.Error, OSError, ValueError) as error:
            raise ConfigurationError(f"store {self.name!r}: {describe_error(error)}") from None

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database cannot be read.
        """
        return await aside(lambda: self._look(ids, before), interrupt=self._interrupt)

    async def close(self) -> None:
        """Close the connection."""
        self._drop()

    def _interrupt(self) -> None:
        end_connection(self._connection)

    def _look(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        kept = self._connection is not None
        try:
            try:
                return self._read(ids, before)
            except pymysql.OperationalError as error:
                if not (kept and error.args[0] in _LOST):
                    raise
                return self._read(ids, before)
        except (pymysql.Error, OSError) as error:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {describe_error(error)}") from None

    def _read(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        try:
            connection = self._connect()
            with connection.cursor() as cursor:
                cursor.execute("START TRANSACTION READ ONLY")
                seen = Fingerprint(before, self._known, busy=self._busy)
                cursor.execute(_TABLES, (self._database,))
                for table in sorted(print_value(name) for (name,) in cursor.fetchall()):
                    _add(cursor, table, ids, seen)
            connection.rollback()
        except (pymysql.Error, OSError):
            # In whatever state the connection is: the next look makes a new one.
            self._drop()
            raise
        return seen.snapshot()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.open:
            connection.close()

    def _connect(self) -> "pymysql.Connection[Any]":
        if self._connection is None:
            # Without converters values come as they are printed, so that a type nobody has thought of is read too.
            self._connection = pymysql.connect(
                **self._asked,
                database=self._database,
                charset="utf8mb4",
                connect_timeout=_SECONDS,
                read_timeout=_SECONDS,
                autocommit=True,
                conv={},
            )
            with self._connection.cursor() as cursor:
                for setting in _SETTINGS:
                    cursor.execute(setting)
        return self._connection


def _add(cursor: Any, table: str, ids: Sequence[str], seen: Fingerprint) -> None:
    place = quote_name(table)
    cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {place} LIMIT {WHOLE_TABLE_ROWS + 1}) AS counted")  # noqa: S608
    narrow = seen.narrows(table, int(cursor.fetchone()[0]))
    query, values, total = f"SELECT * FROM {place}", [], None  # noqa: S608 (an identifier, quoted above)
    if narrow:
        cursor.execute(f"SELECT count(*) FROM {place}")  # noqa: S608
        total = int(cursor.fetchone()[0])
        cursor.execute(f"SELECT * FROM {place} LIMIT 0")  # noqa: S608
        columns = [name for name, *_ in cursor.description]
        # As bytes: texts of other character sets and numbers are compared too.
        places = [f"INSTR(CAST({quote_name(column)} AS BINARY), %s) > 0" for column in columns for _ in ids]
        query += " WHERE " + (" OR ".join(places) or "0")
        values = [one.encode() for _ in columns for one in ids]
    cursor.execute(query, values or None)
    seen.add(table, [name for name, *_ in cursor.description], cursor.fetchall(), others_of=total)


def _example(spec: SourceSpec) -> str:
    return f"such as {urlsplit(spec.url).scheme}://USER@HOST/DATABASE"
