import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
)
from sqlalchemy.exc import DBAPIError

from payproof_reference.commands.maintenance import require_sqlite
from payproof_reference.database import engine as database_engine
from payproof_reference.database import tables
from payproof_reference.database.engine import open_database
from payproof_reference.database.schema import require_narrow_role
from payproof_reference.database.tables import ColumnKind, TableRetention
from payproof_reference.settings import MisconfiguredError
from tests.reference_impl.databases import OWNER, SERVICE

# What a column of each kind is made of, and how it is called.
SHAPES = {
    ColumnKind.STRIPE_ID: (String, r"stripe_[a-z_]+_id|object_id|reference"),
    ColumnKind.OWN_ID: (String, r"(tenant|credential|operation)_id"),
    ColumnKind.STATUS: (String, r"([a-z]+_)?status|outcome|reason|event|event_type|result|name|role|kind|category"),
    ColumnKind.PARTY: (String, r"actor|origin|party"),
    ColumnKind.DIGEST: (String, r"([a-z]+_)?digest|seal|client_key"),
    ColumnKind.CURRENCY: (String, r"currency"),
    ColumnKind.AMOUNT: (BigInteger, r"amount|amount_[a-z]+|unit_amount"),
    ColumnKind.NUMBER: (BigInteger, r"sequence|quantity|attempts|failures"),
    ColumnKind.TIME: (BigInteger, r"[a-z_]+_at|current_period_end|(claimed|locked)_until"),
    ColumnKind.FLAG: (Boolean, r"deleted|cancel_at_period_end"),
}


def suspects(metadata: MetaData) -> list[str]:
    """Name the columns that could hold payment data, or of which nobody has said why they cannot."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not is_safe(column)
    ]


def is_safe(column: Column) -> bool:
    if column.info.get("kind") not in SHAPES or not column.info.get("reason"):
        return False
    type_, names = SHAPES[column.info["kind"]]
    if type(column.type) is not type_ or not re.fullmatch(names, column.name):
        return False
    if type_ is BigInteger:
        # A constraint that no number of 13 digits meets.
        constraints = column.constraints | column.table.constraints
        checks = " ".join(str(one.sqltext) for one in constraints if isinstance(one, CheckConstraint))
        bound = re.search(rf"\b{column.name} < (\d+)", checks)
        return bound is not None and int(bound[1]) <= 10**12
    return type_ is Boolean or column.type.length <= tables.LONGEST_ID


def test_no_column_could_hold_payment_data():
    """Every column is of a kind that has no room for card data or free text, and says why it is kept."""
    assert suspects(tables.metadata) == []


@pytest.mark.parametrize(
    "column",
    [
        Column("note", String(100)),
        Column("note", String(100), info={"kind": ColumnKind.STATUS, "reason": "for the operator"}),
        Column("status", Text, info={"kind": ColumnKind.STATUS, "reason": "for the operator"}),
        Column("status", String(5000), info={"kind": ColumnKind.STATUS, "reason": "for the operator"}),
        Column("status", String(20), info={"kind": ColumnKind.STATUS, "reason": ""}),
        Column("last4", String(4), info={"kind": ColumnKind.STATUS, "reason": "shown to the customer"}),
        Column("payload", JSON, info={"kind": ColumnKind.STATUS, "reason": "for later"}),
        Column("stripe_event_id", LargeBinary, info={"kind": ColumnKind.STRIPE_ID, "reason": "for later"}),
        Column("amount_due", Numeric, info={"kind": ColumnKind.AMOUNT, "reason": "what is owed"}),
        Column(
            "amount_due", BigInteger, info={"kind": ColumnKind.AMOUNT, "reason": "a card number fits without a bound"}
        ),
    ],
    ids=lambda column: f"{column.name} {column.type!r}",
)
def test_guard_finds_a_column_that_could(column):
    """A column of another type, another name, no bound, or no reason fails the guard."""
    metadata = MetaData()
    Table("somewhere", metadata, column._copy())
    assert suspects(metadata) == [f"somewhere.{column.name}"]


def test_inventory_is_what_was_agreed():
    """A new column has to be entered here, by somebody who asked whether it may hold payment data."""
    assert {table.name: set(table.columns.keys()) for table in tables.metadata.sorted_tables} == {
        "audit_anchors": {"name", "sequence", "digest", "seal"},
        "audit_log": {
            *("sequence", "recorded_at", "event", "actor", "result", "reason", "origin"),
            *("object_id", "reference", "quantity", "digest", "tenant_id"),
        },
        "checkout_sessions": {
            *("stripe_checkout_session_id", "stripe_customer_id"),
            *("status", "payment_status", "event_created_at"),
        },
        "credentials": {
            *("credential_id", "tenant_id", "role", "secret_digest"),
            *("created_at", "expires_at", "revoked_at"),
        },
        "customers": {"stripe_customer_id", "deleted", "event_created_at", "tenant_id"},
        "disputes": {
            *("stripe_dispute_id", "stripe_charge_id", "status", "amount", "currency", "event_created_at"),
        },
        "inbox": {"stripe_event_id", "event_type", "event_created_at", "received_at", "outcome", "reason"},
        "invoices": {
            *("stripe_invoice_id", "stripe_customer_id", "stripe_subscription_id"),
            *("status", "amount_due", "currency", "event_created_at"),
        },
        "operations": {
            *("operation_id", "tenant_id", "credential_id", "kind", "status", "category"),
            *("client_key", "request_digest", "stripe_customer_id", "stripe_subscription_id", "stripe_price_id"),
            *("stripe_payment_intent_id", "amount", "stripe_result_id", "result_status", "attempts"),
            *("created_at", "next_attempt_at", "claimed_until", "finished_at"),
        },
        "payments": {
            *("stripe_charge_id", "stripe_payment_intent_id", "stripe_customer_id", "status"),
            *("amount", "amount_refunded", "currency", "event_created_at"),
        },
        "sign_in_failures": {"party", "failures", "last_failed_at", "locked_until"},
        "subscriptions": {
            *("stripe_subscription_id", "stripe_customer_id", "stripe_price_id", "status", "unit_amount", "currency"),
            *("current_period_end", "cancel_at_period_end", "event_created_at"),
        },
        "tenants": {"tenant_id", "created_at"},
    }


def test_every_table_says_how_long_it_is_kept():
    """Each table has a retention with its reason, on columns that it has; the audit log is kept for twelve months."""
    for table in tables.metadata.sorted_tables:
        retention = table.info["retention"]
        assert isinstance(retention, TableRetention)
        assert retention.reason
        assert retention.days is None or table.c[retention.age].info["kind"] is ColumnKind.TIME
        assert retention.ended is None or retention.ended[0] in table.c
    assert tables.audit_log.info["retention"].days == 365


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("inbox", "('evt_1', 'a.b', 4242424242424, 1, 'applied', NULL)"),
        ("customers", "('cus_1', false, 4242424242424242, NULL)"),
        ("subscriptions", "('sub_1', 'cus_1', NULL, 'active', NULL, false, 1, 4242424242424, 'eur')"),
        ("payments", "('ch_1', NULL, NULL, 'succeeded', 4242424242424242, 0, 'eur', 1)"),
        ("invoices", "('in_1', 'cus_1', NULL, 'paid', 4242424242424242, 'eur', 1)"),
        ("audit_log", "(1, 1, 'a', 'b', 'c', NULL, 'd', NULL, NULL, 4242424242424242, 'e', NULL)"),
    ],
)
def test_no_card_number_fits_into_a_number(engine, table, row):
    """The database itself refuses a number of 13 digits or more, whoever writes it."""
    with pytest.raises(DBAPIError, match="ck_"), engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES {row}")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_anchors",
        "DELETE FROM inbox",
        "DROP TABLE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
def test_role_of_the_service_may_not(engine, statement):
    """The service's role owns nothing, deletes nothing, and changes neither the audit log nor the schema."""
    with pytest.raises(DBAPIError) as refusal, engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert refusal.value.orig.sqlstate == "42501"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_role_of_the_service_owns_nothing(engine):
    """Every object in the schema belongs to the owner's role."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT DISTINCT pg_get_userbyid(relowner), current_user FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
        )
        assert rows.fetchall() == [(OWNER, SERVICE)]


@pytest.mark.parametrize("grant", ["UPDATE", "UPDATE (actor)", "DELETE", "TRUNCATE"])
def test_service_refuses_a_wide_role(database, engine, owner, grant):
    """On PostgreSQL a role that can change the audit log, or that owns it, is refused at the start."""
    require_narrow_role(engine)
    if database.name == "sqlite":
        require_narrow_role(owner)
        return
    with owner.begin() as connection:
        connection.exec_driver_sql(f'GRANT {grant} ON audit_log TO "{SERVICE}"')
    for wide in (engine, owner):
        with pytest.raises(MisconfiguredError, match=r"^BILLING_DATABASE_URL: the role"):
            require_narrow_role(wide)


def test_service_migrates_sqlite_only(database, engine):
    """On PostgreSQL the service's role cannot migrate, so BILLING_MIGRATE is refused there."""
    if database.name == "sqlite":
        require_sqlite(engine)
        return
    with pytest.raises(MisconfiguredError, match=r"^BILLING_MIGRATE: "):
        require_sqlite(engine)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_waits(engine):
    """A SQLite file is written ahead, synced at each commit, and waited for."""
    with engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", 2, 3000, 1]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_is_durable_and_waits_no_longer_than_a_sender(engine, owner):
    """Commits are synchronous even for a role that was set otherwise, and locks are not waited for without end."""
    names = ("synchronous_commit", "lock_timeout", "statement_timeout", "TimeZone")
    with engine.connect() as connection:
        assert [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == ["on", "3s", "5s", "UTC"]


def test_plain_postgresql_address_means_psycopg():
    """The driver need not be named."""
    url = database_engine.parse_address("postgresql://billing@localhost/billing", "BILLING_DATABASE_URL")
    assert url.drivername == "postgresql+psycopg"


def test_connections_are_shared_and_given_back(addresses):
    """More threads than connections take turns."""
    engine = open_database(addresses.service)
    try:
        with ThreadPoolExecutor(30) as pool:
            list(pool.map(lambda _: database_engine.probe(engine), range(60)))
        assert engine.pool.checkedout() == 0
    finally:
        engine.dispose()
