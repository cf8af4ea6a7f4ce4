from collections.abc import Iterable, Iterator, Sequence

import psycopg
from psycopg import AsyncConnection, AsyncCursor, IsolationLevel
from psycopg.pq.abc import PGresult

from payproof.domain.source import Snapshot, Store
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.fingerprint import WHOLE_TABLE_ROWS, Fingerprint, KnownRows, LastLook
from payproof.sources.postgresql.connection import Address, describe_error
from payproof.sources.postgresql.queries import (
    SETTINGS,
    TABLES,
    VERSION,
    WatchedTable,
    columns_of,
    results_of,
    rows_of,
)

__all__ = ["PostgresqlStore"]

_MOST_NAMED = 3
_SHUT_DOWN = "57P"  # the class of SQLSTATE for a server that ends or starts


class PostgresqlStore(Store):
    """A PostgreSQL database, read in transactions that cannot write; many tables cost few round trips."""

    def __init__(self, spec: SourceSpec) -> None:
        self.name = spec.name
        self._ignored, self._busy = frozenset(spec.ignore), spec.busy
        self._address = Address(spec.url, None if spec.password is None else spec.password.reveal())
        self._connection: AsyncConnection | None = None
        self._last, self._known = LastLook(), KnownRows()

    def try_connection(self) -> None:
        """Connect once, so that a wrong address fails before anything is sent.

        Raises:
            ConfigurationError: no connection can be made.
        """
        try:
            self._address.try_connection()
        except psycopg.Error as error:
            raise ConfigurationError(f"store {self.name!r}: {describe_error(error, self._address.password)}") from None

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Digest every row; in big or busy tables only rows that hold one of the ids.

        Raises:
            InconclusiveError: the database, or a table that is not ignored, cannot be read.
        """
        kept = self._connection is not None
        try:
            try:
                return await self._read(ids, before)
            except psycopg.OperationalError as error:
                if not (kept and _is_lost(error)):
                    raise
                return await self._read(ids, before)
        except psycopg.Error as error:
            raise self._unreadable(describe_error(error, self._address.password)) from None
        except UnicodeError:
            raise self._unreadable("a name in it is not in the encoding that it states") from None

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        self._last = LastLook()
        if connection is not None:
            await connection.close()

    async def _read(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        try:
            connection = await self._connect()
            seen = await self._look(connection.cursor(), ids, before)
            await connection.commit()
        except BaseException:
            # In whatever state the connection is: the next look makes a new one.
            await self.close()
            raise
        return seen

    async def _connect(self) -> AsyncConnection:
        if self._connection is None:
            # Nothing is prepared: behind a pooler the next statement may reach another connection.
            connection = await AsyncConnection.connect(self._address.conninfo(), prepare_threshold=None)
            await connection.set_read_only(True)
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            self._connection = connection
        return self._connection

    async def _look(self, cursor: AsyncCursor, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        _, answer = await results_of(cursor, [SETTINGS, VERSION])
        version = answer.get_value(0, 0)
        unchanged = self._last.still_true(version, before)
        if unchanged is not None:
            return unchanged
        seen = Fingerprint(before, self._known, busy=self._busy)
        whole: list[tuple[WatchedTable, int]] = []
        tables = await self._tables(cursor)
        for table, total in zip(tables, await self._totals(cursor, tables), strict=True):
            if seen.narrows(table.name, total):
                await self._add_narrow(cursor, table, ids, seen)
            else:
                whole.append((table, total))
        for batch in _batches(whole):
            results = await results_of(cursor, [table.rows() for table in batch])
            for table, result in zip(batch, results, strict=True):
                seen.add(table.name, columns_of(result), rows_of(result))
        return self._last.keep(version, seen)

    async def _tables(self, cursor: AsyncCursor) -> list[WatchedTable]:
        """Return the tables to read; one that this role may not read must be ignored."""
        await cursor.execute(TABLES)
        found = [(WatchedTable(schema, table, alone), readable) async for schema, table, alone, readable in cursor]
        hidden = [table.name for table, readable in found if not readable and table.name not in self._ignored]
        if hidden:
            more = f" and {len(hidden) - _MOST_NAMED} more" if len(hidden) > _MOST_NAMED else ""
            named = ", ".join(hidden[:_MOST_NAMED])
            raise self._unreadable(f"its role may not read all of table {named}{more}; grant SELECT, or ignore them")
        return [table for table, readable in found if readable]

    async def _totals(self, cursor: AsyncCursor, tables: Sequence[WatchedTable]) -> list[int]:
        """Count rows, as far as it must be known how to read them."""
        if self._busy:
            return [0 for _ in tables]
        counts = await results_of(cursor, [table.count(WHOLE_TABLE_ROWS + 1) for table in tables])
        return [_number(count) for count in counts]

    async def _add_narrow(
        self, cursor: AsyncCursor, table: WatchedTable, ids: Sequence[str], seen: Fingerprint
    ) -> None:
        if self._busy:
            (result,) = await results_of(cursor, [table.rows_with(ids)])
            total = 0
        else:
            count, result = await results_of(cursor, [table.count(), table.rows_with(ids)])
            total = _number(count)
        seen.add(table.name, columns_of(result), rows_of(result), others_of=total)

    def _unreadable(self, detail: str) -> InconclusiveError:
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {self.name}: {detail}")


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Whether the connection was cut, as by a server that is stopped; what was kept may have been cut long before."""
    return error.sqlstate is None or error.sqlstate.startswith(_SHUT_DOWN)


def _batches(tables: Iterable[tuple[WatchedTable, int]]) -> Iterator[list[WatchedTable]]:
    """Yield tables that are read together: in memory they are little more than one table that is read whole."""
    batch: list[WatchedTable] = []
    rows = 0
    for table, total in tables:
        if batch and rows + total > WHOLE_TABLE_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(table)
        rows += total
    if batch:
        yield batch


def _number(result: PGresult) -> int:
    value = result.get_value(0, 0)
    assert value is not None
    return int(value)
