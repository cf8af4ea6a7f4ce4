"""MariaDB and Redis as tables to read through, on real servers."""

from contextlib import closing
from decimal import Decimal
from urllib.parse import urlsplit

import pymysql
import pytest
import redis

from payproof.domain.address import without_password
from payproof.domain.sensitive import Secret
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError
from payproof.registry import table_sources
from tests.servers import mariadb, redis_server


@pytest.fixture(scope="module")
def maria():
    """A MariaDB server."""
    with mariadb() as url:
        yield url


@pytest.fixture(scope="module")
def keys():
    """A Redis server."""
    with redis_server() as url:
        yield url


def opened(url, **more):
    """Open a server to read it through."""
    shown, password = without_password(url)
    spec = SourceSpec("database", shown, password=Secret("password", password), **more)
    return closing(table_sources()[shown.partition(":")[0]](spec))


def run(url, *statements):
    """Run statements as the administrator."""
    parts = urlsplit(url)
    with (
        pymysql.connect(
            host=parts.hostname, port=parts.port, user=parts.username, password=parts.password, autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def database(maria):
    """An empty database; its URL."""
    run(maria, "CREATE DATABASE billing CHARACTER SET utf8mb4")
    yield f"{maria}billing"
    run(maria, "DROP DATABASE billing")


def test_values_of_mariadb_come_typed_with_their_keys(database, maria):
    """Numbers, texts and bytes come as such with the primary key; times are left out, names may be anything."""
    run(
        maria,
        "CREATE TABLE billing.`odd ``%s` (k INT, l VARCHAR(9), n BIGINT, d DECIMAL(20,2), t TEXT, b BLOB, j JSON, "
        "ts DATETIME, PRIMARY KEY (l, k)) CHARACTER SET utf8mb4",
        "INSERT INTO billing.`odd ``%s` VALUES (1, 'x', 4242, 4.5, 'ü', x'00ff', '{\"a\":1}', now())",
    )
    with opened(database) as tables:
        ((name, rows),) = ((table.name, table.rows) for table in tables.tables())
        assert (name, rows) in {("odd `%s", 1), ("odd `%s", 0)}
        cells = {column: (key, value) for key, column, value in tables.rows(name)}
        assert {key for key, _ in cells.values()} == {"l=x, k=1"}
        assert {column: value for column, (_, value) in cells.items()} == {
            "k": 1, "l": "x", "n": 4242, "d": Decimal("4.50"), "t": "ü", "b": b"\0\xff", "j": '{"a":1}',
        }  # fmt: skip
        assert {column.name: column.type for column in tables.columns()}["d"] == "decimal(20,2)"
    with opened(maria) as everything:
        assert "billing.odd `%s" in {table.name for table in everything.tables()}


def test_rows_without_a_key_and_samples_of_mariadb(database, maria):
    """Rows without a key are numbered; a sample has the first and the last keys; a reading that is left may go on."""
    many = ", ".join(f"({n})" for n in range(9))
    run(
        maria,
        "CREATE TABLE billing.plain (n INT)",
        f"INSERT INTO billing.plain VALUES {many}",
        "CREATE TABLE billing.keyed (n INT PRIMARY KEY)",
        f"INSERT INTO billing.keyed VALUES {many}",
    )
    with opened(database) as tables:
        assert [key for key, _, _ in tables.rows("plain", 2)] == ["row 1", "row 2"]
        assert [value for _, _, value in tables.rows("keyed", 4)] == [0, 1, 8, 7]
        next(tables.rows("keyed"))
        assert len(list(tables.rows("keyed", 9))) == 9
        with pytest.raises(InconclusiveError, match="gone"):
            next(tables.rows("gone"))


def test_nothing_can_be_written_to_mariadb(database, maria):
    """The transaction in which rows are read refuses to write."""
    run(maria, "CREATE TABLE billing.t (n INT)")
    with opened(database) as tables, pytest.raises(InconclusiveError), tables._read_only() as cursor:
        cursor.execute("INSERT INTO billing.t VALUES (1)")


def test_connection_lost_half_way_is_inconclusive(database, maria):
    """A table whose connection is killed half-way is told by name, and the next one is read on a new one."""
    run(
        maria,
        "CREATE TABLE billing.big (n INT PRIMARY KEY, filler VARCHAR(2000))",
        "INSERT INTO billing.big WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 150) "
        "SELECT a.n * 1000 + b.n, repeat('x', 2000) FROM s AS a JOIN s AS b",
    )
    with opened(database) as tables:
        cells = tables.rows("big")
        next(cells)
        run(maria, f"KILL {tables._connection.thread_id()}")
        with pytest.raises(InconclusiveError, match="table big"):
            list(cells)
        assert next(tables.rows("big"))


def test_password_is_in_no_text(maria, keys):
    """What is said of a server that lets nobody in does not hold the password."""
    for url in (maria, keys):
        parts = urlsplit(url)
        wrong = parts._replace(netloc=f"nobody:{parts.password}x@{parts.hostname}:{parts.port}").geturl()
        with pytest.raises(ConfigurationError) as refused, opened(wrong):
            pass
        assert parts.password not in str(refused.value)


def test_every_type_of_redis_is_read(keys):
    """Strings, hashes, lists, sets, sorted sets and streams are read, with names that tell what a value is."""
    parts = urlsplit(keys)
    client = redis.Redis(port=parts.port, password=parts.password, db=3)
    client.set("card:7:number", "42")
    client.set("long", b"x" * 3_000_000)
    client.hset("h", mapping={"cvc": "1"})
    client.rpush("l", *range(1200))
    client.sadd("s", "m")
    client.zadd("z", {"m": 4242424242424242})
    client.xadd("x", {"pan": "5"})
    with opened(f"{keys}/3") as tables:
        assert [(table.name, table.rows) for table in tables.tables()] == [("db3", 7)]
        cells = list(tables.rows("db3"))
        assert len({key for key, _, _ in tables.rows("db3", 2)}) == 2
    values = {(key, column): value for key, column, value in cells}
    assert values["card:7:number", "number"] == b"42"
    assert values["h", "cvc"] == b"1"
    assert values["z", "score"] == 4242424242424242
    assert values["x", "pan"] == b"5"
    assert sum(key == "l" for key, _, _ in cells) == 1201
    assert sum(len(value) for key, column, value in cells if (key, column) == ("long", "long")) >= 3_000_000
    client.flushall()
