from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from payproof_reference.database import schema, tables
from payproof_reference.database.engine import open_database
from payproof_reference.services.events import webhooks
from payproof_reference.services.events.delivery import EventOutcome
from payproof_reference.settings import MisconfiguredError
from tests.recording import record_event
from tests.reference_impl.databases import SERVICE
from tests.reference_impl.deliveries import event

SCRIPTS = ScriptDirectory(str(Path(import_module("payproof_reference.database.migrations").__file__).parent))
REVISIONS = [one.revision for one in reversed(list(SCRIPTS.walk_revisions()))]


@pytest.fixture
def empty(database):
    """A database without a schema, as its owner sees it."""
    made = database.fresh(migrated=False)
    opened = open_database(made.owner)
    opened.addresses = made
    yield opened
    opened.dispose()
    database.drop(made)


def shape(engine):
    """Describe every table: columns, keys, indexes and constraints."""
    found = inspect(engine)
    return {
        name: (
            [(column["name"], repr(column["type"]), column["nullable"]) for column in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"])) for one in found.get_indexes(name)),
            sorted(
                (one["name"], one["sqltext"].replace("(", "").replace(")", ""))
                for one in found.get_check_constraints(name)
            ),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_migrations_make_what_the_tables_say(empty, database):
    """The schema after all migrations is that of `tables`, to the last constraint, and Alembic finds no difference."""
    schema.upgrade(empty, SERVICE)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    other = database.fresh(migrated=False)
    made = open_database(other.owner)
    tables.metadata.create_all(made)
    assert shape(empty) == shape(made)
    made.dispose()
    database.drop(other)


def test_every_step_goes_up_and_down_and_up(empty):
    """Each migration can be taken back, leaves nothing behind, and can be run again."""
    shapes = [shape(empty)]
    for revision in REVISIONS:
        schema.upgrade(empty, SERVICE, revision)
        shapes.append(shape(empty))
    for revision, expected in zip([*reversed(REVISIONS[:-1]), "base"], reversed(shapes[:-1]), strict=True):
        schema.downgrade(empty, revision)
        assert shape(empty) == expected
    assert schema.read_revision(empty) is None
    schema.upgrade(empty, SERVICE)
    assert schema.read_revision(empty) == schema.HEAD


def test_failing_migration_changes_nothing(empty, monkeypatch):
    """A migration that fails half-way takes back the ones of the same run, on both databases."""
    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            schema.upgrade(empty, SERVICE)
    assert schema.read_revision(empty) is None
    assert shape(empty) == {}


def test_rows_survive_a_migration(empty):
    """What an older schema holds is there after the upgrade."""
    schema.upgrade(empty, SERVICE, "0001")
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO customers VALUES ('cus_1', false, 1)"))
    schema.upgrade(empty, SERVICE)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT * FROM customers")).fetchall() == [("cus_1", False, 1, None)]


def test_release_knows_its_newest_schema():
    """The schemas that the release runs on end with the newest migration and are in its line."""
    assert SCRIPTS.get_current_head() == schema.HEAD
    assert REVISIONS[-len(schema.RUNS_ON) :] == list(schema.RUNS_ON)


@pytest.mark.parametrize("revision", schema.RUNS_ON)
def test_release_runs_on_each_schema_that_it_promises(empty, audit, revision):
    """On every promised schema the service starts, applies an event, and records it."""
    schema.upgrade(empty, SERVICE, revision)
    engine = open_database(empty.addresses.service)
    try:
        schema.require_schema(engine)
        with engine.begin() as connection:
            audit.begin(connection)
        receipt = record_event(
            engine, audit, webhooks.parse(event()), livemode=False, received_at=1, origin="192.0.2.1"
        )
        assert receipt.outcome is EventOutcome.APPLIED
    finally:
        engine.dispose()


@pytest.mark.parametrize("revision", [None, "0001"])
def test_release_refuses_any_other_schema(empty, revision):
    """On a schema that is missing or too old the service does not start, and says what to run."""
    if revision:
        schema.upgrade(empty, SERVICE, revision)
    with pytest.raises(MisconfiguredError, match="python -m payproof_reference migrate"):
        schema.require_schema(empty)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_release_refuses_a_schema_of_the_future(empty):
    """A schema of a later release is none that this one promised to run on."""
    schema.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(MisconfiguredError, match="revision 9999"):
        schema.require_schema(empty)
