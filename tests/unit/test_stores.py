"""What every source of a store does, on each kind of database."""

from collections import Counter

import pytest

from tests.unit.databases import opened, rows, snapshot


def test_rows_are_counted_and_fresh_ones_shown(database):
    """A snapshot counts rows by their content; against an earlier one it shows what is new, column by column."""
    database.run("INSERT INTO events VALUES ('evt_1', 1)")
    with opened(database) as store:
        before = snapshot(store)
        assert (rows(before), before.fresh) == (1, ())
        database.run("INSERT INTO events VALUES ('evt_2', 2)")
        after = snapshot(store, (), before)
        assert rows(after) == 2
        assert cells(after) == {("events", "id", b"evt_2"), ("events", "amount", b"2")}
        assert {block.where for block in after.fresh} == {"table events, column id", "table events, column amount"}
        database.run("UPDATE events SET amount = 3 WHERE id = 'evt_1'")
        assert cells(snapshot(store, (), after)) == {("events", "id", b"evt_1"), ("events", "amount", b"3")}
        database.run("DELETE FROM events")
        assert rows(snapshot(store, (), after)) == 0


def test_second_look_at_an_unchanged_database_is_the_first(database):
    """While nobody has written, the state is the same; a database that can tell is not read again."""
    database.run("INSERT INTO events VALUES ('evt_1', 1)")
    with opened(database) as store:
        first = snapshot(store)
        second = snapshot(store, ("evt_1",), first)
        assert (second.tables, second.fresh) == (first.tables, ())
        assert second.tables is first.tables or database.url.startswith("mysql:")


def test_fresh_rows_are_shown_again(database):
    """Looks against the same earlier state all show the new rows, though nothing changed between them."""
    with opened(database) as store:
        before = snapshot(store)
        database.run("INSERT INTO events VALUES ('evt_1', 1)")
        assert [len(snapshot(store, (), before).fresh) for _ in range(3)] == [2, 2, 2]


def test_equal_rows_are_counted_apart(database):
    """A row that is added twice is two rows."""
    database.run("CREATE TABLE audit (what TEXT)", "INSERT INTO audit VALUES ('same')")
    with opened(database) as store:
        before = snapshot(store)
        database.run("INSERT INTO audit VALUES ('same')")
        after = snapshot(store, (), before)
        assert (rows(before, "audit"), rows(after, "audit")) == (1, 2)


@pytest.mark.parametrize("name", ["sqlitedata", "odd %s;--'name'", "select", "ünïcode", "sqliteX", "pgdata", "whole"])
def test_every_table_is_watched(kind, database, name):
    """No table is left out for its name, whatever it is, and bytes are read as bytes."""
    database.run(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, "a ""%" {kind.blob})')
    with opened(database) as store:
        before = snapshot(store)
        value = "x'00ff5c'" if kind.blob == "BLOB" else r"'\x00ff5c'"
        database.run(f'INSERT INTO "{name}" VALUES (1, {value}), (2, NULL)')
        after = snapshot(store, (), before)
    assert rows(after, name) == 2
    assert cells(after) == {
        *((name, "id", number) for number in (b"1", b"2")),
        *((name, 'a "%', data) for data in (b"\x00\xff\\", b"None")),
    }


@pytest.mark.parametrize("busy", [True, False])
def test_big_or_busy_table_is_judged_by_the_rows_with_ids(database, busy):
    """In a table that is big or busy only rows with the run's ids are read; of a big one the others are counted."""
    if not busy:
        fill(database, 10_001)
    with opened(database, busy=busy) as store:
        before = snapshot(store, ("evt_1",))
        database.run("INSERT INTO events VALUES ('of_others', 1)")
        others = snapshot(store, ("evt_1",), before)
        assert (others.tables == before.tables) == busy
        assert others.fresh == ()
        database.run("INSERT INTO events VALUES ('x evt_1 y', 1)", "INSERT INTO events VALUES ('evt_2', 1)")
        mine = snapshot(store, ("evt_1", "evt_2"), others)
        assert rows(mine) == rows(others) + 2
        assert {data for _, column, data in cells(mine) if column == "id"} == {b"x evt_1 y", b"evt_2"}
        database.run("DELETE FROM events WHERE id = 'of_others'")
        fewer = snapshot(store, ("evt_1", "evt_2"), mine)
        assert rows(fewer) == rows(mine) - (not busy)


def test_without_ids_no_row_of_a_busy_table_counts(database):
    """A look before anything was sent chooses no row."""
    database.run("INSERT INTO events VALUES ('evt_1', 1)")
    with opened(database, busy=True) as store:
        assert rows(snapshot(store)) == 0


def test_table_that_becomes_big_shows_only_what_is_new(database):
    """A table is read the way that it was read before, so that one row too many does not look like 10,000 changes."""
    fill(database, 10_000)
    with opened(database) as store:
        before = snapshot(store)
        database.run("INSERT INTO events VALUES ('evt_1', 1)")
        after = snapshot(store, (), before)
        assert cells(after) == {("events", "id", b"evt_1"), ("events", "amount", b"1")}
        assert (Counter(after.tables["events"]) - Counter(before.tables["events"])).total() == 1
        database.run("INSERT INTO events VALUES ('evt_2', 1)")
        narrow = snapshot(store)
        database.run("DELETE FROM events WHERE id LIKE 'old_1%'")
        fewer = snapshot(store, (), narrow)
        assert len(fewer.tables["events"]) == len(narrow.tables["events"]) == 1
        assert rows(fewer) < 10_000 < rows(narrow)


def test_table_that_appears_is_fresh(database):
    """The rows of a table that was not there before are all new, and one that is gone has no rows."""
    with opened(database) as store:
        before = snapshot(store)
        database.run("CREATE TABLE late (id INTEGER)", "INSERT INTO late VALUES (7)")
        after = snapshot(store, (), before)
        assert cells(after) == {("late", "id", b"7")}
        database.run("DROP TABLE late")
        assert "late" not in snapshot(store, (), after).tables


def test_a_connection_to_mariadb_that_was_cut_is_made_anew(mariadb_kind, tmp_path):
    """Where the connection that was kept is gone, as after a restart of the server, a look makes another one."""
    with mariadb_kind.fresh(tmp_path) as made, opened(made) as store:
        made.run("CREATE TABLE events (id INTEGER)")
        before = snapshot(store)
        others = "FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        kill = (f"SET @kill = (SELECT CONCAT('KILL ', id) {others})", "EXECUTE IMMEDIATE @kill")
        made.run("INSERT INTO events VALUES (7)", *kill)
        assert cells(snapshot(store, (), before)) == {("events", "id", b"7")}


def cells(seen):
    """Return the new cells of a snapshot by table and column."""
    return {(block.table, block.column, block.data) for block in seen.fresh}


def fill(database, many):
    """Add rows that nobody's ids are in."""
    values = ", ".join(f"('old_{number}', 0)" for number in range(many))
    database.run(f"INSERT INTO events VALUES {values}")
