import json
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from payproof_reference.__main__ import build_parser, main
from payproof_reference.commands import maintenance
from payproof_reference.commands.operator import open_as_owner
from payproof_reference.database import schema, tables
from payproof_reference.services.audit import retention
from payproof_reference.services.audit.chain import BrokenLog, IntactLog, Mark
from payproof_reference.services.audit.log import Action, AuditBrokenError, AuditLog, Record, Result
from payproof_reference.settings import MaintenanceSettings, MisconfiguredError, load_settings
from tests.reference_impl.deliveries import new_key

NOW = 1_800_000_000
DAY = 86_400
NOTHING = dict.fromkeys(
    (
        *("checkout_sessions", "credentials", "customers", "disputes", "inbox", "invoices"),
        *("operations", "payments", "sign_in_failures", "subscriptions", "audit_log"),
    ),
    0,
)


@pytest.fixture
def clocked(settings):
    """An audit log whose clock is set by hand."""
    time_of = {"now": NOW}
    log = AuditLog(settings.audit_key, lambda: time_of["now"])
    log.set = lambda now: time_of.update(now=now)
    return log


def append(engine, log, *days_ago):
    """Add one record for each age."""
    for days in days_ago:
        log.set(NOW - int(days * DAY))
        with engine.begin() as connection:
            log.append(connection, Record(event=Action.SERVICE_STARTED, actor="a", result=Result.SUCCESS, origin="b"))
    log.set(NOW)


@pytest.fixture
def aged(engine):
    """Rows on both sides of every limit, in every state."""
    rows = {
        "inbox": [("evt_old", "a.b", 1, NOW - 90 * DAY - 1), ("evt_new", "a.b", 1, NOW - 90 * DAY)],
        "customers": [("cus_old", True, 401), ("cus_new", True, 399), ("cus_kept", False, 4000)],
        "subscriptions": [("sub_old", "canceled", 401), ("sub_new", "canceled", 399), ("sub_kept", "past_due", 4000)],
        "invoices": [("in_old", "paid", 401), ("in_new", "void", 399), ("in_kept", "open", 4000)],
    }
    with engine.begin() as connection:
        for id_, kind, created, received in rows["inbox"]:
            values = {"stripe_event_id": id_, "event_type": kind, "event_created_at": created, "received_at": received}
            connection.execute(tables.inbox.insert().values(values | {"outcome": "applied"}))
        for id_, deleted, days in rows["customers"]:
            values = {"stripe_customer_id": id_, "deleted": deleted, "event_created_at": NOW - days * DAY}
            connection.execute(tables.customers.insert().values(values))
        for id_, status, days in rows["subscriptions"]:
            values = {"stripe_subscription_id": id_, "stripe_customer_id": "cus_1", "status": status}
            values |= {"cancel_at_period_end": False, "event_created_at": NOW - days * DAY}
            connection.execute(tables.subscriptions.insert().values(values))
        for id_, status, days in rows["invoices"]:
            values = {"stripe_invoice_id": id_, "stripe_customer_id": "cus_1", "status": status, "amount_due": 1}
            values |= {"currency": "eur", "event_created_at": NOW - days * DAY}
            connection.execute(tables.invoices.insert().values(values))


def verified(engine, log):
    """Check the log."""
    with engine.connect().execution_options(read_only=True) as connection:
        return log.verify(connection)


@pytest.mark.parametrize("batch", [1, 5000])
def test_purge_removes_what_is_due_and_nothing_else(aged, engine, owner, clocked, client, monkeypatch, batch):
    """Of each table the rows beyond their limit go, unless they still run; the rest stays; each batch is recorded."""
    monkeypatch.setattr(retention, "BATCH", batch)
    removed = retention.purge(owner, clocked, NOW, "operator:0")
    assert removed == NOTHING | {"customers": 1, "inbox": 1, "invoices": 1, "subscriptions": 1}
    assert client.rows("inbox", "stripe_event_id") == [("evt_new",)]
    for table, column in (("customers", "customer"), ("subscriptions", "subscription"), ("invoices", "invoice")):
        kept = sorted(id_.rpartition("_")[2] for (id_,) in client.rows(table, f"stripe_{column}_id"))
        assert kept == ["kept", "new"]
    columns = "event, actor, result, origin, object_id"
    told = client.rows("audit_log", columns)
    assert set(told) == {("retention_purged", "operator:0", "success", "command line", name) for name in NOTHING}
    assert sum(count for (count,) in client.rows("audit_log", "quantity")) == 4
    assert isinstance(verified(engine, clocked), IntactLog)


def test_row_of_which_no_event_has_told_is_kept(engine, owner):
    """What an answer of Stripe's showed before any event did has no age yet, so it is not due."""
    values = {"stripe_customer_id": "cus_1", "deleted": True, "event_created_at": 0}
    with engine.begin() as connection:
        connection.execute(tables.customers.insert().values(values))
    assert retention.count_due(owner, NOW) == NOTHING


def test_dry_run_counts_and_changes_nothing(aged, owner, client):
    """What would go is told by table; every row and the audit log stay as they are."""
    assert retention.count_due(owner, NOW) == NOTHING | {"customers": 1, "inbox": 1, "invoices": 1, "subscriptions": 1}
    assert len(client.rows("inbox")) == 2
    assert client.rows("audit_log") == []


@pytest.mark.parametrize("batch", [2, 5000])
def test_purged_log_stays_verifiable(engine, owner, clocked, client, monkeypatch, batch):
    """Records older than twelve months go from the front; what is left is intact from the new start, and goes on."""
    monkeypatch.setattr(retention, "BATCH", batch)
    append(engine, clocked, 800, 500, 366, 365, 30, 0)
    assert retention.count_due(owner, NOW)["audit_log"] == 3
    assert retention.purge(owner, clocked, NOW, "operator:0")["audit_log"] == 3
    assert client.rows("audit_log", "min(sequence)") == [(4,)]
    assert isinstance(verified(engine, clocked), IntactLog)
    append(engine, clocked, 0)
    assert isinstance(verified(engine, clocked), IntactLog)


def test_record_after_a_clock_went_backwards_keeps_those_behind_it(engine, owner, clocked):
    """Only the front goes: a record of old time behind one of new time stays, for a gap would break the chain."""
    append(engine, clocked, 500, 10, 500, 0)
    assert retention.purge(owner, clocked, NOW, "operator:0")["audit_log"] == 1
    assert isinstance(verified(engine, clocked), IntactLog)


def test_log_of_old_records_only_is_purged_whole(engine, owner, clocked):
    """After a long pause all records go, and the record of the purge is the first of the rest."""
    append(engine, clocked, 800, 700)
    assert retention.count_due(owner, NOW)["audit_log"] == 2
    retention.purge(owner, clocked, NOW, "operator:0")
    assert isinstance(verified(engine, clocked), IntactLog)


def test_broken_log_is_not_purged(aged, engine, owner, clocked, client):
    """Where the chain is broken nothing is removed from any table: it may be evidence."""
    append(engine, clocked, 800, 700)
    with owner.begin() as connection:
        connection.execute(text("UPDATE audit_anchors SET sequence = 1 WHERE name = 'end'"))
    with pytest.raises(AuditBrokenError):
        retention.purge(owner, clocked, NOW, "operator:0")
    assert len(client.rows("inbox")) == 2


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_moved_start_does_not_hide_a_deletion(engine, clocked):
    """Whoever moves the start by hand can delete up to it in SQLite, and is found out for lack of the key."""
    append(engine, clocked, 3, 2, 1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_anchors SET sequence = 2 WHERE name = 'start'"))
        connection.execute(text("DELETE FROM audit_log WHERE sequence <= 2"))
    assert isinstance(verified(engine, clocked), BrokenLog)


def test_operator_runs_the_commands_one_after_another(operator, settings, capsys):
    """Migrate, verify, purge, and verify against what was kept: each says in a line what it did."""
    assert maintenance.migrate(None) == 0
    assert maintenance.verify_audit(None) == 1
    owner, _ = open_as_owner(load_settings(MaintenanceSettings))
    audit = AuditLog(settings.audit_key)
    with owner.begin() as connection:
        audit.begin(connection)
        audit.append(connection, Record(event=Action.SERVICE_STARTED, actor="a", result=Result.SUCCESS, origin="b"))
    owner.dispose()
    assert maintenance.purge(dry_run=True) == 0
    assert maintenance.verify_audit(None) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "audit_log_begun" not in line]
    assert lines[0] == f"schema: {schema.HEAD}"
    assert lines[1].startswith("broken at record 1: the anchor of the start is missing")
    assert lines[2] == "checkout_sessions: 0 rows are due"
    assert lines[-1].startswith("intact: 1 records; keep 1:")
    kept = lines[-1].rpartition(" ")[2]
    assert maintenance.purge(dry_run=False) == 0
    assert maintenance.verify_audit(build_parser().parse_args(["verify-audit", "--kept", kept]).kept) == 0
    assert maintenance.verify_audit(Mark(99, "x")) == 1


def test_operator_exchanges_the_audit_key(operator, settings, capsys, monkeypatch):
    """With the new key and the old one the log goes on; without the old one nothing is exchanged."""
    assert maintenance.migrate(None) == 0
    owner, _ = open_as_owner(load_settings(MaintenanceSettings))
    with owner.begin() as connection:
        AuditLog(settings.audit_key).begin(connection)
    owner.dispose()
    monkeypatch.setenv("BILLING_AUDIT_KEY", new_key())
    assert maintenance.exchange_audit_key() == 1
    monkeypatch.setenv("BILLING_AUDIT_PREVIOUS_KEYS", json.dumps([settings.audit_key.get_secret_value()]))
    for name in ("exchange-audit-key", "verify-audit"):
        options = build_parser().parse_args([name])
        assert options.run(options) == 0
    said = capsys.readouterr().out
    assert "the key was not exchanged: there is no previous key" in said
    assert "intact: 1 records" in said
    assert settings.audit_key.get_secret_value() not in said
    assert maintenance.migrate("base") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "schema: none"


def test_purge_of_a_broken_log_says_so(operator, capsys):
    """The operator is told that nothing was removed, and where the log is broken."""
    maintenance.migrate(None)
    assert maintenance.purge(dry_run=False) == 1
    assert "nothing is removed: record 1" in capsys.readouterr().out


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("address", [None, "service", "unusable"])
def test_owner_has_to_be_another_role(operator, monkeypatch, address):
    """On PostgreSQL a migration without the owner's address, or with the service's own, is refused."""
    if address is None:
        monkeypatch.delenv("BILLING_MIGRATION_DATABASE_URL")
    else:
        chosen = operator.service if address == "service" else "postgresql://owner@127.0.0.1:1/billing"
        monkeypatch.setenv("BILLING_MIGRATION_DATABASE_URL", chosen)
    with pytest.raises(MisconfiguredError, match=r"^BILLING_MIGRATION_DATABASE_URL: "):
        maintenance.migrate(None)


def test_unknown_revision_is_told_in_a_line(operator):
    """There is no way down to a revision that does not exist."""
    maintenance.migrate(None)
    with pytest.raises(MisconfiguredError, match="no such revision"):
        maintenance.migrate("nowhere")


def test_failing_migration_is_told_in_a_line(operator, monkeypatch):
    """The operator learns that nothing was changed, and of the error its type."""

    def refuse(*_args, **_values):
        raise OperationalError("canary", {}, Exception("canary"))

    monkeypatch.setattr("alembic.op.create_index", refuse)
    with pytest.raises(MisconfiguredError, match="changed nothing: OperationalError") as refusal:
        maintenance.migrate(None)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize("command", [["purge"], ["verify-audit"], ["migrate"], ["operations"]])
def test_command_without_settings_is_refused(monkeypatch, capsys, command):
    """Every command ends with code 78 and one line when its settings are missing."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("payproof_reference.telemetry.logging.configure", lambda _: None)
    monkeypatch.delenv("BILLING_DATABASE_URL", raising=False)
    assert main(command) == 78
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("payproof_reference: ")
    assert "BILLING_DATABASE_URL: Field required" in line


def test_retention_is_measured_from_now(owner):
    """Nothing is due on the day of the first start."""
    assert retention.count_due(owner, int(time.time())) == NOTHING
