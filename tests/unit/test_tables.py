"""What every database does that is read through, on each kind."""

from contextlib import closing

import pytest

from payproof.errors import InconclusiveError
from payproof.registry import table_sources


def tables_of(database, **more):
    """Open a database to read it through."""
    spec = database.spec(**more)
    return closing(table_sources()[spec.url.partition(":")[0]](spec))


def test_values_come_typed_with_their_keys(database):
    """Each value that is not NULL comes with its row's primary key and its column."""
    database.run("INSERT INTO events VALUES ('evt_1', 42), ('evt_2', NULL)")
    with tables_of(database) as tables:
        cells = [
            (key, column, value.decode() if isinstance(value, bytes) else value)
            for key, column, value in tables.rows("events")
        ]
        assert cells == [("id=evt_1", "id", "evt_1"), ("id=evt_1", "amount", 42), ("id=evt_2", "id", "evt_2")]
        assert [table.name for table in tables.tables()] == ["events"]
        assert [(one.table, one.name) for one in tables.columns()] == [("events", "id"), ("events", "amount")]
        text, number = (one.type.lower() for one in tables.columns())
        assert text in {"varchar(255)", "character varying(255)"}
        assert number in {"integer", "int(11)"}


def test_table_without_key_and_odd_names(kind, database):
    """A table without a primary key is read, rows told apart by what the database has; names may be anything."""
    name, column = 'odd %s;--"name"', 'a "%.b'
    quoted = ['"' + one.replace('"', '""') + '"' for one in (name, column)]
    database.run(f"CREATE TABLE {quoted[0]} ({quoted[1]} {kind.blob})")
    value = "x'00ff5c'" if kind.blob == "BLOB" else r"'\x00ff5c'"
    database.run(*[f"INSERT INTO {quoted[0]} VALUES ({value})"] * 2)
    with tables_of(database) as tables:
        (table,) = (one.name for one in tables.tables() if "odd" in one.name)
        cells = list(tables.rows(table))
    assert [(where, data) for _, where, data in cells] == [(column, b"\0\xff\\")] * 2
    assert len({key for key, _, _ in cells}) == 2


def test_sample_reads_the_first_and_the_last_keys(database):
    """Of a large table a sample has the oldest and the newest rows, each once; of a small one all rows."""
    database.run(
        "CREATE TABLE ordered (n INTEGER PRIMARY KEY)", *(f"INSERT INTO ordered VALUES ({n})" for n in range(9))
    )
    with tables_of(database) as tables:
        assert sorted(value for _, _, value in tables.rows("ordered", 5)) == [0, 1, 2, 7, 8]
        assert sorted(value for _, _, value in tables.rows("ordered", 1)) == [0]
        assert sorted(value for _, _, value in tables.rows("ordered", 9)) == list(range(9))


def test_table_that_is_gone_is_inconclusive(database):
    """A table that cannot be read is told by name, and the next one is read."""
    database.run("INSERT INTO events VALUES ('evt_1', 1)")
    with tables_of(database) as tables:
        assert tables.tables()
        with pytest.raises(InconclusiveError, match="gone"):
            list(tables.rows("gone"))
        assert list(tables.rows("events"))


def test_types_of_postgresql(postgresql):
    """Numbers, arrays, JSON and bytes come as such; times and booleans are left out; a domain is what it is over."""
    from decimal import Decimal  # noqa: PLC0415

    postgresql.run(
        "CREATE DOMAIN pan AS bigint",
        "CREATE TABLE t (k int, l text, i bigint, n numeric, f float8, j jsonb, a int[], b bytea, ts timestamptz, "
        "ok boolean, d pan, u uuid, big json, PRIMARY KEY (l, k))",
        "INSERT INTO t VALUES (1, 'x', 42, 4.50, 1.5, '{\"a\": [1]}', '{1,2}', '\\x00ff', now(), true, 7, "
        "'00000000-0000-0000-0000-000000000001', '[1" + "0" * 5000 + "]')",
    )
    with tables_of(postgresql) as tables:
        cells = {column: (key, value) for key, column, value in tables.rows("t")}
    assert {key for key, _ in cells.values()} == {"l=x, k=1"}
    values = {column: value for column, (_, value) in cells.items()}
    assert values.pop("big") == "[1" + "0" * 5000 + "]"
    assert values == {
        "k": 1, "l": "x", "i": 42, "n": Decimal("4.50"), "f": 1.5, "j": {"a": [1]}, "a": [1, 2], "b": b"\0\xff",
        "d": 7, "u": "00000000-0000-0000-0000-000000000001",
    }  # fmt: skip
