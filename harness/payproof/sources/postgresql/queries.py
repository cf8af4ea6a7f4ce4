"""The queries to a PostgreSQL database: they only read, and their answers print the same in every look."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import AsyncCursor, sql
from psycopg.pq import Escaping
from psycopg.pq.abc import PGresult

__all__ = ["SETTINGS", "TABLES", "VERSION", "WatchedTable", "columns_of", "results_of", "rows_of"]

_BYTEA = 17  # its OID

# They hold for one transaction, so that nothing stays on a connection that a pooler hands to somebody else next.
_VALUES = {
    "search_path": "pg_catalog",  # no function or operator of the target's takes the place of PostgreSQL's
    "row_security": "off",  # rows that a policy hides from this role are an error, not absent
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    # Values print the same whatever the role, the database or the server is set to.
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "escape",  # what is text inside bytes can be found, also within arrays and composite values
}
SETTINGS = sql.SQL("SELECT {}").format(
    sql.SQL(", ").join(
        sql.SQL("pg_catalog.set_config({}, {}, true)").format(name, value) for name, value in _VALUES.items()
    )
)

#: Two looks at one snapshot of PostgreSQL's see the same rows: no transaction that writes has ended between them. That
#: says nothing of rows that other servers hold (foreign tables, Citus); and a standby does not list in it which
#: transactions are still open. There it is NULL.
VERSION = sql.SQL("""
    SELECT CASE
        WHEN pg_is_in_recovery()
            OR EXISTS (SELECT FROM pg_class WHERE relkind = 'f')
            OR to_regclass('pg_dist_partition') IS NOT NULL
        THEN NULL ELSE pg_current_snapshot()::text
    END
""")

#: All that holds rows, and whether this role may read all of them: tables, partitioned ones once, materialized views,
#: foreign tables. Names that begin with pg_ are the system's, and temporary tables are those of one connection.
TABLES = sql.SQL(r"""
    SELECT
        nspname, relname, relkind <> 'p',
        has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
            AND NOT row_security_active(pg_class.oid)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'm', 'f') AND NOT relispartition AND relispopulated AND relpersistence <> 't'
        AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    ORDER BY nspname, relname
""")


@dataclass(frozen=True, slots=True)
class WatchedTable:
    """A table; ``alone`` says that its rows are read without those of tables that inherit from it."""

    schema: str
    table: str
    alone: bool

    @property
    def name(self) -> str:
        """The name in target files: with the schema where that is not ``public``, in quotes where it has a dot."""
        parts = (self.table,) if self.schema == "public" else (self.schema, self.table)
        return ".".join('"' + part.replace('"', '""') + '"' if {".", '"'} & {*part} else part for part in parts)

    def count(self, most: int | None = None) -> sql.Composed:
        """Ask how many rows there are, counting no further than ``most``."""
        return sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS counted").format(self.place, most)

    def rows(self) -> sql.Composed:
        """Ask for every row."""
        return sql.SQL("SELECT * FROM {}").format(self.place)

    def reading(self, key: Sequence[str], columns: Sequence[sql.Composable]) -> sql.Composed:
        """Ask for columns of every row, after what tells rows apart as texts: the key, else where they stand."""
        stands = sql.SQL("ctid::text" if self.alone else "tableoid::regclass || ' ' || ctid")
        apart: list[sql.Composable] = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in key]
        chosen = sql.SQL(", ").join([*(apart or [stands]), *columns])
        return sql.SQL("SELECT {} FROM {}").format(chosen, self.place)

    def rows_with(self, ids: Sequence[str]) -> sql.Composed:
        """Ask for the rows that hold one of the ids in some column."""
        return sql.SQL("""
            SELECT whole.* FROM {} AS whole
                CROSS JOIN LATERAL (SELECT ROW(whole.*)::text COLLATE "C" AS line OFFSET 0) AS printed
            WHERE EXISTS (SELECT FROM unnest({}::text[]) AS one(id) WHERE strpos(printed.line, one.id) > 0)
        """).format(self.place, list(ids))

    @property
    def place(self) -> sql.Composed:
        """Name it in a query."""
        return sql.SQL("ONLY {}" if self.alone else "{}").format(sql.Identifier(self.schema, self.table))


async def results_of(cursor: AsyncCursor, statements: Iterable[sql.Composable]) -> list[PGresult]:
    """Run statements without parameters in one round trip and return their results."""
    results: list[PGresult] = []
    text = sql.SQL("; ").join(statements)
    if not text.as_string(cursor):
        return results
    await cursor.execute(text)
    while True:
        assert cursor.pgresult is not None
        results.append(cursor.pgresult)
        if not cursor.nextset():
            return results


def columns_of(result: PGresult) -> list[str]:
    """Return the names of a result's columns."""
    return [(result.fname(column) or b"").decode() for column in range(result.nfields)]


def rows_of(result: PGresult) -> Iterator[tuple[bytes | None, ...]]:
    """Yield a result's rows; each value is what PostgreSQL prints for it, and bytes are those bytes."""
    columns = range(result.nfields)
    raw = {column for column in columns if result.ftype(column) == _BYTEA}
    unescape = Escaping().unescape_bytea
    for number in range(result.ntuples):
        row = tuple(result.get_value(number, column) for column in columns)
        if raw:
            row = tuple(
                unescape(value) if column in raw and value is not None else value for column, value in enumerate(row)
            )
        yield row
