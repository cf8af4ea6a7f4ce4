import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from payproof.domain.sensitive import Secret
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.registry import store_sources
from payproof.sources.postgresql import store as module
from tests.unit.databases import PASSWORD, WATCHER, Postgresql, opened, rows, snapshot

TYPES = """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TYPE pair AS (name text, body bytea);
    CREATE DOMAIN short AS bytea;
    CREATE TABLE every (
        a json, b jsonb, c text[], d bytea, e numeric, f timestamptz, g interval, h uuid, i inet, j mood, k pair,
        l int4range, m double precision, n date, o boolean, p bytea[], q short, s time, t "char", u money, v text
    );
    INSERT INTO every VALUES (
        '{"id":  "evt_1"}', '{"b": 1,  "a": [null, "\\u00e9"]}', '{a,"b c",NULL}', '\\x00616263ff',
        12345678901234567890.10,
        '2026-01-02 03:04:05.678901+09', '1 year 2 days 03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.0/8',
        'happy', ROW('x', '\\x6576745f3200'), '[1,5)', 0.1, '2026-01-02', true, ARRAY['\\x6576745f33'::bytea, NULL],
        '\\x6576745f34', '03:04:05', 'x', 1, NULL
    )
"""
PRINTED = (
    rb"""
a: {"id":  "evt_1"}
b: {"a": [null, "\u00e9"], "b": 1}
c: {a,"b c",NULL}
d: \x00abc\xff
e: 12345678901234567890.10
f: 2026-01-01 18:04:05.678901+00
g: P1Y2DT3H4M5S
h: a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
i: 10.0.0.0/8
j: happy
k: (x,"evt_2\\000")
l: [1,5)
m: 0.1
n: 2026-01-02
o: t
p: {evt_3,NULL}
q: evt_4
s: 03:04:05
t: x
u: $1.00
v: None
""".strip()
    .replace(b"\\x00abc\\xff", b"\x00abc\xff")
    .replace(b"\\u00e9", "é".encode())
)
OTHER_SETTINGS = (
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "TimeZone = 'Asia/Tokyo'",
    "bytea_output = 'hex'",
    "extra_float_digits = -15",
    "row_security = on",
    "search_path = 'other'",
)


def unreadable(store, ids=(), before=None):
    """Take a look that cannot come to an end; return its one line."""
    with pytest.raises(InconclusiveError) as raised:
        snapshot(store, ids, before)
    assert raised.value.reason is Reason.SOURCE_UNREADABLE
    assert "\n" not in raised.value.detail
    return raised.value.detail


def test_every_type_prints_the_same_whatever_the_role_is_set_to(postgresql):
    """Values of all types are read as PostgreSQL prints them, bytes as bytes, alike under any setting of the role."""
    with opened(postgresql) as store:
        before = snapshot(store)
        postgresql.run(TYPES)
        first = snapshot(store, (), before)
    assert b"\n".join(b"%s: %s" % (one.column.encode(), one.data) for one in first.fresh) == PRINTED
    for setting in OTHER_SETTINGS:
        postgresql.run(f'ALTER ROLE "{WATCHER}" SET {setting}')
    try:
        with opened(postgresql) as store:
            assert snapshot(store).tables == first.tables
    finally:
        postgresql.run(f'ALTER ROLE "{WATCHER}" RESET ALL')


@pytest.mark.parametrize("id_", ["evt_1", "evt_2", "evt_3", "evt_4"])
def test_ids_are_found_in_columns_of_any_type(postgresql, id_):
    """In a busy store a row counts wherever the id stands in it: also within bytes, arrays and composite values."""
    postgresql.run(TYPES)
    with opened(postgresql, busy=True) as store:
        assert rows(snapshot(store, ("evt_none",)), "every") == 0
        assert rows(snapshot(store, ("evt_none", id_)), "every") == 1


def test_id_with_quotes_is_no_sql(postgresql):
    """An id is only searched, whatever it holds."""
    postgresql.run("CREATE TABLE events (id text)", "INSERT INTO events VALUES ('it''s %s {} \\ ;--')")
    with opened(postgresql, busy=True) as store:
        assert rows(snapshot(store, ("it's %s {", "'; DROP TABLE events; --"))) == 1


def test_all_that_holds_rows_is_read_once(postgresql):
    """Tables of every schema are read, partitioned ones and heirs once, and nothing of the system."""
    postgresql.run(
        "CREATE SCHEMA billing",
        "CREATE TABLE billing.events (id int)",
        "CREATE TABLE events (id int)",
        'CREATE TABLE "billing.events" (id int)',
        'CREATE SCHEMA "a.b"',
        'CREATE TABLE "a.b".c ()',
        "CREATE SCHEMA a",
        'CREATE TABLE a."b.c" ()',
        "CREATE UNLOGGED TABLE fast (id int)",
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE part_2 PARTITION OF parted DEFAULT",
        "INSERT INTO parted SELECT generate_series(1, 15)",
        "CREATE TABLE heir (more int) INHERITS (events)",
        "INSERT INTO heir VALUES (1, 2)",
        'INSERT INTO "a.b".c DEFAULT VALUES',
        "CREATE VIEW seen AS SELECT * FROM events",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one",
        "CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA",
    )  # fmt: skip
    with opened(postgresql) as store:
        seen = snapshot(store)
    assert {name: rows(seen, name) for name in seen.tables} == {
        "billing.events": 0,
        "events": 0,
        '"billing.events"': 0,
        '"a.b".c': 1,
        'a."b.c"': 0,
        "fast": 0,
        "parted": 15,
        "heir": 1,
        "kept": 1,
    }


def test_text_in_another_encoding_is_read_as_utf_8(postgresql_kind, tmp_path):
    """What a Latin-1 database holds is searched as the run's values are encoded."""
    with postgresql_kind.fresh(tmp_path, "TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'") as database:
        database.run("CREATE TABLE names (name text)")
        with opened(database) as store:
            before = snapshot(store)
            database.run("INSERT INTO names VALUES ('Zoë')")
            assert snapshot(store, (), before).fresh[0].data == "Zoë".encode()


def test_more_than_one_batch(postgresql):
    """Tables that together are more than is read at once are all read, each to its own name."""
    sizes = {"one": 6_000, "two": 6_000, "three": 0, "four": 10_000, "five": 10_001, "six": 1}
    for name, size in sizes.items():
        postgresql.run(f"CREATE TABLE {name} (n int)", f"INSERT INTO {name} SELECT generate_series(1, {size})")
    with opened(postgresql) as store:
        seen = snapshot(store)
    assert {name: rows(seen, name) for name in seen.tables} == sizes
    assert len(seen.tables["five"]) == 1


def test_store_cannot_write(postgresql):
    """The harness cannot write to a target's database, whatever its role may do."""
    postgresql.run("CREATE TABLE events (id int)", f'GRANT ALL ON events TO "{WATCHER}"')
    with opened(postgresql) as store:
        snapshot(store)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            store.loop.run(store._connection.execute("INSERT INTO events VALUES (1)"))


def test_open_transactions_are_not_overlooked(postgresql):
    """What a transaction wrote counts once it is committed, also where another was committed before it."""
    postgresql.run("CREATE TABLE events (id int)")
    with opened(postgresql) as store, psycopg.connect(postgresql.url) as late:
        late.execute("INSERT INTO events VALUES (1)")
        looks = [snapshot(store)]
        postgresql.run("INSERT INTO events VALUES (2)")
        looks.append(snapshot(store))
        looks.append(snapshot(store))
        late.commit()
        looks.append(snapshot(store))
        late.execute("INSERT INTO events VALUES (3)")
        late.rollback()
        looks.append(snapshot(store))
        postgresql.run("TRUNCATE events")
        looks.append(snapshot(store))
    assert [rows(look) for look in looks] == [0, 1, 1, 2, 2, 0]


def test_rows_of_other_servers_are_always_read(container_kind, tmp_path):
    """Where a foreign table is there, a look reads although no transaction has written."""
    with container_kind.fresh(tmp_path) as database:
        database.run(
            "CREATE EXTENSION file_fdw",
            "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
            "CREATE FOREIGN TABLE elsewhere (line text) SERVER files OPTIONS (program 'date +%N')",
            "CREATE TABLE events (id int)",
        )
        with opened(database) as store:
            before = snapshot(store)
            after = snapshot(store, (), before)
    assert [block.where for block in after.fresh] == ["table elsewhere, column line"]


def test_foreign_table_that_cannot_be_read_is_unknown(postgresql):
    """Rows that another server holds, and does not give, are unknown and not absent."""
    postgresql.run(
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE elsewhere (line text) SERVER nowhere",
    )
    with opened(postgresql) as store:
        assert unreadable(store) == 'store database: foreign-data wrapper "nothing" has no handler'


REVOKED = [
    ("REVOKE ALL ON secret FROM reader", "secret"),
    ("REVOKE ALL ON secret FROM reader; GRANT SELECT (id) ON secret TO reader", "secret"),
    ("ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON secret USING (id > 1)", "secret"),
    ("ALTER TABLE secret SET SCHEMA hidden", "hidden.secret"),
]


@pytest.fixture
def narrow(postgresql):
    """A database watched by a role that may read what it is granted."""
    password = "reader" + "Password"
    postgresql.run(
        "DROP ROLE IF EXISTS reader",
        f"CREATE ROLE reader LOGIN PASSWORD '{password}'",
        "CREATE SCHEMA hidden",
        "CREATE TABLE events (id int, name text)",
        "CREATE TABLE secret (id int, name text)",
        "INSERT INTO secret VALUES (1, 'x'), (2, 'y')",
        "GRANT SELECT ON events, secret TO reader",
    )
    yield replace(postgresql, watcher="reader", password=password)
    postgresql.run("DROP OWNED BY reader", "DROP ROLE reader")


@pytest.mark.parametrize(("change", "name"), REVOKED)
def test_table_that_cannot_be_read_is_unknown(narrow, change, name):
    """A table, or some of its columns or rows, that the role may not read is named as unreadable, never passed over."""
    with opened(narrow) as store:
        assert rows(snapshot(store), "secret") == 2
        narrow.run(change)
        assert unreadable(store) == (
            f"store database: its role may not read all of table {name}; grant SELECT, or ignore them"
        )


@pytest.mark.parametrize(("change", "name"), REVOKED)
def test_ignored_table_need_not_be_readable(narrow, change, name):
    """A table that the target file ignores is left out where it cannot be read."""
    narrow.run(change)
    with opened(narrow, ignore=(name,)) as store:
        assert snapshot(store).tables.keys() == {"events"}


def test_many_unreadable_tables_are_one_line(narrow):
    """Of many tables that cannot be read some are named, and all are counted."""
    narrow.run(*(f"CREATE TABLE t{number} ()" for number in range(9)))
    with opened(narrow) as store:
        assert "of table t0, t1, t2 and 6 more; grant SELECT" in unreadable(store)


def test_a_connection_that_was_cut_is_made_anew(postgresql):
    """Where the connection that was kept is gone, as after a restart of the server, a look makes another one."""
    postgresql.run("CREATE TABLE events (id int)")
    with opened(postgresql) as store:
        before = snapshot(store)
        postgresql.run(
            "INSERT INTO events VALUES (1)",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $${WATCHER}$$",
        )
        assert [block.data for block in snapshot(store, (), before).fresh] == [b"1"]


def test_database_that_goes_away_is_unknown(postgresql_kind, tmp_path):
    """When the database is dropped during a run, each look is unknown."""
    with postgresql_kind.fresh(tmp_path) as database, opened(database) as store:
        snapshot(store)
        administrator = Postgresql(postgresql_kind.server)
        administrator.run(f"DROP DATABASE {database.name} WITH (FORCE)")
        assert unreadable(store)
        assert "does not exist" in unreadable(store)
        administrator.run(f"CREATE DATABASE {database.name}")


@pytest.fixture
def impatient(monkeypatch):
    """Stores that wait for locks for a tenth of a second."""
    settings = module.SETTINGS + sql.SQL(", pg_catalog.set_config('lock_timeout', '100ms', true)")
    monkeypatch.setattr(module, "SETTINGS", settings)


def test_locked_table_is_unknown_in_time(postgresql, impatient):
    """A table that is locked, as by a migration, does not keep a run waiting."""
    postgresql.run("CREATE TABLE events (id int)")
    with opened(postgresql) as store, psycopg.connect(postgresql.url) as holder:
        holder.execute("LOCK events IN ACCESS EXCLUSIVE MODE")
        assert unreadable(store) == "store database: canceling statement due to lock timeout"
        holder.rollback()
        assert rows(snapshot(store)) == 0


def test_look_that_is_broken_off_leaves_a_usable_store(postgresql):
    """When a case's time is over in the middle of a look, the next case's looks work."""
    postgresql.run("CREATE TABLE events (id int)")

    async def hurried(store):
        async with asyncio.timeout(0.2):
            await store.snapshot((), None)

    with opened(postgresql) as store, psycopg.connect(postgresql.url) as holder:
        snapshot(store)
        postgresql.run("INSERT INTO events VALUES (1)")
        holder.execute("LOCK events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            store.loop.run(hurried(store))
        holder.rollback()
        assert rows(snapshot(store)) == 1


def refused(url, password=None):
    """Open a store that cannot be opened; return its one line."""
    secret = None if password is None else Secret("password", password)
    with pytest.raises(ConfigurationError) as raised:
        store_sources()["postgresql"](SourceSpec("database", url, password=secret))
    said = str(raised.value)
    assert said.startswith("store 'database': ")
    assert said.isprintable()
    assert password is None or password not in said
    return said


def test_wrong_password(container_kind, tmp_path):
    """A wrong password is told with the role's name and without the password."""
    with container_kind.fresh(tmp_path) as database:
        assert "password authentication failed" in refused(database.spec().url, "not" + PASSWORD)
        assert "password" in refused(database.spec().url)


def test_no_such_database(postgresql):
    """A database or a role that there is not is told."""
    url = postgresql.spec().url
    assert 'database "nowhere" does not exist' in refused(url.replace(postgresql.name, "nowhere"), PASSWORD)
    assert "nobody" in refused(replace(postgresql, watcher="nobody").spec().url, PASSWORD)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u@127.0.0.1:1/db", "Connection refused"),
        ("postgresql://u@127.0.0.1:1,127.0.0.1:2/db", "Connection refused"),
        ("postgresql://u@127.0.0.1/db?sslmod=require", 'invalid URI query parameter: "sslmod"'),
        ("postgresql://u:secretword/db", "the port in its URL is not a number"),
        ("postgresql://u@127.0.0.1:99999/db", "invalid port number"),
        ("postgresql:db", "not the URL of a PostgreSQL server"),
    ],
)
def test_wrong_address(url, said):
    """An address that is none, or where nobody listens, is told on one line."""
    line = refused(url)
    assert said in line
    assert "secretword" not in line


def test_driver_that_is_not_installed(monkeypatch):
    """Without the driver the user is told what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("payproof.sources.postgresql.")]:
        monkeypatch.delitem(sys.modules, name)
    assert refused("postgresql://u@127.0.0.1:1/db").endswith(
        "the driver for PostgreSQL is not installed; pip install 'payproof[postgresql]'"
    )


def test_server_that_is_too_old(postgresql, monkeypatch):
    """A server whose snapshots cannot be asked for is refused."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 120_017)
    assert "PostgreSQL 13 or later is needed" in refused(postgresql.spec().url, PASSWORD)


def test_source_is_one_folder():
    """Nothing of the driver is imported before a store is opened."""
    text = (Path(module.__file__).parent / "__init__.py").read_text()
    assert "\nimport psycopg" not in text
