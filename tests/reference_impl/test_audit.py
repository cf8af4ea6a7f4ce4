import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payproof_reference.services.audit import chain
from payproof_reference.services.audit.chain import GENESIS, Anchor, BrokenLog, ChainFault, IntactLog, Mark
from payproof_reference.services.audit.log import Action, AuditBrokenError, AuditLog, Record, Result
from payproof_reference.services.events import effects, webhooks
from payproof_reference.services.events.delivery import EventOutcome
from tests.recording import record_event
from tests.reference_impl.deliveries import event, new_key, subscription

KEY = new_key().encode()
INVOICE = {"id": "in_1", "customer": "cus_1", "status": "paid", "amount_due": 1999, "currency": "eur"}
# Whoever tampers has the file, or the owner's role.
TRIGGERS = ("audit_log_no_update", "audit_log_no_delete", "audit_anchors_no_delete")


def record(number: int = 1) -> Record:
    """Build a record."""
    return Record(
        event=Action.WEBHOOK_RECEIVED,
        actor="stripe",
        result=Result.SUCCESS,
        origin="192.0.2.1",
        object_id=f"evt_{number}",
    )


@pytest.fixture
def deliver(engine, audit):
    """Record the body of a delivery, as the route would."""

    def one(body: bytes) -> EventOutcome:
        found = webhooks.parse(body)
        return record_event(engine, audit, found, livemode=False, received_at=1, origin="192.0.2.1").outcome

    return one


@pytest.fixture
def five(engine, audit):
    """A log of five records."""
    with engine.begin() as connection:
        audit.append(connection, *map(record, range(1, 6)))
    return engine


@pytest.fixture
def tamper(five, owner):
    """Change the database as somebody who has all rights and no key."""

    def run(*statements: str) -> None:
        with owner.begin() as connection:
            if owner.name == "sqlite":
                for trigger in TRIGGERS:
                    connection.execute(text(f"DROP TRIGGER {trigger}"))
            for statement in statements:
                connection.execute(text(statement))

    return run


def verified(engine, audit, kept=None):
    """Check the log."""
    with engine.connect().execution_options(read_only=True) as connection:
        return audit.verify(connection, kept)


def test_untouched_log_is_intact(five, audit):
    """Five records are five records, and the mark of the last is told."""
    checked = verified(five, audit)
    assert (checked.records, checked.end.sequence) == (5, 5)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", checked.end.digest)


def change(assignment: str) -> str:
    return f"UPDATE audit_log SET {assignment} WHERE sequence = 3"


def remove(condition: str) -> str:
    return f"DELETE FROM audit_log WHERE sequence {condition}"


def move(before: int, after: int) -> str:
    return f"UPDATE audit_log SET sequence = {after} WHERE sequence = {before}"


def copy(sequence: int, original: int) -> str:
    columns = "recorded_at, event, actor, result, reason, origin, object_id, reference, quantity, digest, tenant_id"
    return f"INSERT INTO audit_log SELECT {sequence}, {columns} FROM audit_log WHERE sequence = {original}"


def anchor(name: str, change: str) -> str:
    return f"{change.format('audit_anchors')} WHERE name = '{name}'"


THIRD = "sequence = 3, digest = (SELECT digest FROM audit_log WHERE sequence = 3)"


@pytest.mark.parametrize(
    ("statements", "place", "fault"),
    [
        *(
            ([change(assignment)], 3, ChainFault.ALTERED)
            for assignment in (
                *("recorded_at = recorded_at + 1", "event = 'payment_failed'", "actor = 'x'", "result = 'failed'"),
                *("reason = 'x'", "origin = '192.0.2.2'", "object_id = NULL", "reference = 'evt_1'", "quantity = 0"),
                "digest = (SELECT digest FROM audit_log WHERE sequence = 2)",
            )
        ),
        ([remove("= 1")], 1, ChainFault.REMOVED),
        ([remove("= 3")], 3, ChainFault.REMOVED),
        ([remove("= 3"), move(4, 3), move(5, 4)], 3, ChainFault.ALTERED),
        ([remove(">= 4")], 4, ChainFault.TRUNCATED),
        ([remove(">= 1")], 1, ChainFault.TRUNCATED),
        ([remove(">= 4"), anchor("end", f"UPDATE {{}} SET {THIRD}")], 4, ChainFault.END_FORGED),
        ([move(5, 6), move(4, 5), move(3, 4), copy(3, 2)], 3, ChainFault.ALTERED),
        ([copy(0, 2)], 0, ChainFault.ALTERED),
        ([copy(6, 5)], 6, ChainFault.ALTERED),
        ([move(2, 9), move(4, 2), move(9, 4)], 2, ChainFault.ALTERED),
        ([anchor("end", "UPDATE {} SET sequence = 4")], 6, ChainFault.END_FORGED),
        ([anchor("end", "DELETE FROM {}")], 6, ChainFault.END_FORGED),
        ([anchor("start", "UPDATE {} SET sequence = 2")], 1, ChainFault.START_FORGED),
        ([anchor("start", "DELETE FROM {}")], 1, ChainFault.START_FORGED),
    ],
)
def test_tampering_shows_where(tamper, five, audit, statements, place, fault):
    """Each change, removal, insertion, exchange and truncation is found, at its first place."""
    tamper(*statements)
    assert verified(five, audit) == BrokenLog(place, fault)


def test_other_key_verifies_nothing(five):
    """Without the key nobody can tell a genuine log, nor make one."""
    assert isinstance(verified(five, AuditLog(SecretStr(new_key()))), BrokenLog)


def test_broken_end_stops_the_service(tamper, five, audit, deliver, client):
    """Once the end of the log was tampered with nothing is applied: to go on would cover the traces."""
    tamper("UPDATE audit_anchors SET sequence = 4 WHERE name = 'end'")
    with pytest.raises(AuditBrokenError):
        deliver(event())
    assert client.rows("inbox") == client.rows("subscriptions") == []


def test_old_copy_of_the_log_shows_against_a_kept_mark(five, audit, owner, tamper):
    """A log that was put back whole, as it once was, is intact in itself; the mark that was kept elsewhere tells."""
    tables = ("audit_log", "audit_anchors")
    before = {name: owner_rows(owner, name) for name in tables}
    with five.begin() as connection:
        audit.append(connection, record(6))
    kept = verified(five, audit).end
    tamper("DELETE FROM audit_log", "DELETE FROM audit_anchors")
    with owner.begin() as connection:
        for name, rows in before.items():
            for row in rows:
                marks = ", ".join(f":{column}" for column in row)
                connection.execute(text(f"INSERT INTO {name} VALUES ({marks})"), row)
    assert isinstance(verified(five, audit), IntactLog)
    assert verified(five, audit, kept) == BrokenLog(6, ChainFault.TRUNCATED)
    with five.begin() as connection:
        audit.append(connection, record(7))
    assert verified(five, audit, kept) == BrokenLog(6, ChainFault.REWRITTEN)


def owner_rows(owner, name):
    with owner.connect().execution_options(read_only=True) as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_log SET actor = 'x' WHERE sequence = 2", "DELETE FROM audit_log", "DELETE FROM audit_anchors"],
)
def test_sqlite_refuses_changes(five, statement):
    """What roles do on PostgreSQL, triggers do in a SQLite file: a record is neither changed nor deleted."""
    with pytest.raises(DBAPIError, match="append-only"), five.begin() as connection:
        connection.exec_driver_sql(statement)


def test_records_of_a_delivery(deliver, client):
    """Receipt, effect, duplicate, and what was ignored: each has its record, tied to the event."""
    deliver(event("customer.subscription.created", id="evt_1"))
    deliver(event("customer.subscription.created", id="evt_1"))
    deliver(event(id="evt_2", created=1_699_999_999))
    deliver(event("charge.captured", {}, id="evt_3"))
    columns = "sequence, event, actor, result, reason, origin, object_id, reference"
    assert client.rows("audit_log", columns) == [
        (1, "webhook_received", "stripe", "success", None, "192.0.2.1", "evt_1", None),
        (2, "subscription_created", "stripe", "success", "active", "192.0.2.1", "sub_1", "evt_1"),
        (3, "webhook_duplicate", "stripe", "ignored", None, "192.0.2.1", "evt_1", None),
        (4, "webhook_received", "stripe", "ignored", "older_than_state", "192.0.2.1", "evt_2", None),
        (5, "webhook_received", "stripe", "ignored", "unhandled_type", "192.0.2.1", "evt_3", None),
    ]


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("customer.created", {"id": "cus_1"}, ("customer_changed", None, "cus_1")),
        ("customer.deleted", {"id": "cus_1"}, ("customer_deleted", None, "cus_1")),
        ("customer.subscription.updated", subscription(), ("subscription_changed", "active", "sub_1")),
        ("customer.subscription.deleted", subscription(), ("subscription_cancelled", "active", "sub_1")),
        (
            "customer.subscription.updated",
            subscription(status="canceled"),
            ("subscription_cancelled", "canceled", "sub_1"),
        ),
        ("invoice.paid", INVOICE, ("payment_succeeded", "paid", "in_1")),
        ("invoice.payment_failed", INVOICE | {"status": "open"}, ("payment_failed", "open", "in_1")),
        ("invoice.voided", INVOICE | {"status": "void"}, ("invoice_closed", "void", "in_1")),
    ],
)
def test_effect_is_recorded_by_its_name(deliver, client, kind, body, expected):
    """Each effect has a name of its own in the log."""
    deliver(event(kind, body))
    assert client.rows("audit_log", "event, reason, object_id")[1:] == [expected]


def test_nothing_happens_unrecorded(deliver, client, owner):
    """When the audit log refuses, the event has no effect and is not acknowledged; later it is applied."""
    body = event()
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_log RENAME TO elsewhere"))
    with pytest.raises(DBAPIError):
        deliver(body)
    assert client.rows("inbox") == client.rows("subscriptions") == []
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO audit_log"))
    assert deliver(body) is EventOutcome.APPLIED


def test_failed_delivery_is_recorded_by_the_type_of_its_error(deliver, client, monkeypatch):
    """A defect leaves no effect, and a record that holds nothing of its text."""
    monkeypatch.setattr(effects, "apply_snapshot", lambda *_: {}["canary"])
    with pytest.raises(KeyError):
        deliver(event(id="evt_1"))
    assert client.rows("inbox") == []
    assert client.rows("audit_log", "event, result, reason, object_id") == [
        ("webhook_failed", "failed", "KeyError", "evt_1")
    ]


def test_appends_at_once_make_one_chain(engine, audit, deliver):
    """Deliveries from many threads, copies among them, leave a chain without a gap."""
    bodies = [event(body=subscription(id=f"sub_{number}")) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(deliver, bodies + bodies))
    assert sorted(outcomes) == [EventOutcome.APPLIED] * 20 + [EventOutcome.DUPLICATE] * 20
    checked = verified(engine, audit)
    assert isinstance(checked, IntactLog)
    assert checked.records == 60


def test_processes_that_take_turns_make_one_chain(engine, audit, settings):
    """Two processes each remember where the log ended when they last wrote, and neither believes it."""
    other = AuditLog(settings.audit_key)
    for turn in range(6):
        with engine.begin() as connection:
            (audit, other)[turn % 2].append(connection, record(turn), record(turn))
    checked = verified(engine, audit)
    assert isinstance(checked, IntactLog)
    assert checked.records == 12


def test_transaction_that_came_to_nothing_leaves_no_gap(engine, audit):
    """After records that were rolled back the log goes on where it ended."""
    for turn in range(3):
        with engine.connect() as connection:
            audit.append(connection, record(turn))
            connection.rollback()
        with engine.begin() as connection:
            audit.append(connection, record(turn))
    checked = verified(engine, audit)
    assert isinstance(checked, IntactLog)
    assert checked.records == 3


def test_end_that_was_tampered_with_stops_a_service_that_runs(five, tamper, audit):
    """That the service wrote the end itself is no reason to trust it."""
    tamper(anchor("end", "UPDATE {} SET seal = digest"))
    with pytest.raises(AuditBrokenError), five.begin() as connection:
        audit.append(connection, record(6))


def test_log_is_begun_once(engine, audit, five):
    """A start does not seal the ends of a log that has records, even when they lack their anchors."""
    before = verified(engine, audit)
    with engine.begin() as connection:
        audit.begin(connection)
    assert verified(engine, audit) == before


def test_log_without_anchors_is_not_begun_anew(tamper, five, audit):
    """Whoever removes the anchors does not get new ones for what is left."""
    tamper("DELETE FROM audit_anchors")
    with five.begin() as connection:
        audit.begin(connection)
    assert verified(five, audit) == BrokenLog(1, ChainFault.START_FORGED)


def chained(count: int, start: Mark = GENESIS) -> tuple[Anchor, list[dict[str, object]], Anchor]:
    """Build a chain of records."""
    rows, last = [], start
    for number in range(start.sequence + 1, start.sequence + count + 1):
        row = {"sequence": number, "recorded_at": number, "event": f"event {number % 3}", "reason": None}
        last = Mark(number, chain.digest_of(KEY, last.digest, row))
        rows.append(row | {"digest": last.digest})
    return chain.seal_mark(KEY, "start", start), rows, chain.seal_mark(KEY, "end", last)


@given(st.integers(0, 20), st.integers(0, 10**6))
def test_every_chain_is_intact(count, first):
    """A chain of any length from any start is found whole."""
    start, rows, end = chained(count, Mark(first, "d" if first else ""))
    assert chain.check([KEY], start, rows, end) == IntactLog(count, end.mark)


@given(st.data())
def test_every_other_sequence_of_records_is_broken(data):
    """No removal, repetition, exchange or change of records passes, and the place told is the first that differs."""
    start, rows, end = chained(data.draw(st.integers(1, 12)))
    changed = {"sequence": st.integers(0, 15), "recorded_at": st.integers(0, 15), "event": st.text(max_size=9)}
    altered = [
        row | {field: data.draw(changed[field])} if (field := data.draw(st.sampled_from([*changed, None]))) else row
        for row in rows
    ]
    chosen = data.draw(st.lists(st.sampled_from(altered), max_size=15) | st.permutations(altered) | st.just(altered))
    checked = chain.check([KEY], start, chosen, end)
    if chosen == rows:
        assert checked == IntactLog(len(rows), end.mark)
    else:
        same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(chosen, rows, strict=False))))
        assert isinstance(checked, BrokenLog)
        assert checked.sequence == same + 1 or checked.sequence == chosen[same]["sequence"]


@given(st.binary(max_size=8), st.integers(0, 9), st.text(max_size=5), st.text(max_size=50))
def test_no_seal_can_be_guessed(key, sequence, digest, seal):
    """An anchor is genuine under its key, its name, its sequence and its digest only."""
    mark = Mark(sequence, digest)
    genuine = chain.seal_mark(KEY, "end", mark)
    assert genuine.is_genuine(KEY)
    for other in (
        Anchor("start", mark, genuine.seal),
        Anchor("end", Mark(sequence + 1, digest), genuine.seal),
        Anchor("end", Mark(sequence, digest + "x"), genuine.seal),
        Anchor("end", mark, seal),
        chain.seal_mark(key, "end", mark),
    ):
        assert not other.is_genuine(KEY)


EXCHANGED = Record(event=Action.AUDIT_KEY_EXCHANGED, actor="operator:0", result=Result.SUCCESS, origin="command line")


@pytest.fixture
def successor(settings):
    """The log under a new key, which knows the old one."""
    return AuditLog(SecretStr(new_key()), previous=[settings.audit_key])


def exchange(engine, successor):
    """Exchange the key, and add a record under the new one."""
    with engine.begin() as connection:
        successor.exchange_key(connection, EXCHANGED)
        successor.append(connection, record(6))


def test_exchanged_key_leaves_the_log_whole(five, audit, successor):
    """What was recorded under the old key and under the new one is one intact log, and the old key adds no more."""
    exchange(five, successor)
    assert isinstance(found := verified(five, successor), IntactLog)
    assert found.records == 7
    with pytest.raises(AuditBrokenError), five.begin() as connection:
        audit.append(connection, record())
    assert isinstance(verified(five, audit), BrokenLog)


def test_log_goes_on_over_two_exchanges_and_a_purge(five, owner, settings, successor):
    """Each key is asked for its own records, and for none once those are purged."""
    exchange(five, successor)
    keys = [settings.audit_key, SecretStr(successor._key.decode())]
    third = AuditLog(SecretStr(new_key()), previous=keys)
    exchange(five, third)
    assert isinstance(verified(five, third), IntactLog)
    with owner.begin() as connection:
        (digest,) = connection.execute(text("SELECT digest FROM audit_log WHERE sequence = 6")).one()
        third.move(connection, "start", Mark(6, digest))
        connection.execute(text("DELETE FROM audit_log WHERE sequence <= 6"))
    assert isinstance(verified(five, third), IntactLog)
    assert isinstance(verified(five, AuditLog(SecretStr(third._key.decode()), previous=keys[1:])), IntactLog)


def test_old_key_forges_nothing_after_the_exchange(five, tamper, audit, successor):
    """Whoever stole the key that was exchanged can change no record, of neither key, without being found out."""
    exchange(five, successor)
    forged = chain.digest_of(audit._key, "", {"sequence": 1, "recorded_at": 1, "event": "x"})
    tamper(f"UPDATE audit_log SET recorded_at = 1, event = 'x', digest = '{forged}' WHERE sequence = 1")
    assert isinstance(verified(five, successor), BrokenLog)


@pytest.mark.parametrize("broken", ["UPDATE audit_log SET actor = 'x' WHERE sequence = 2", "DELETE FROM audit_anchors"])
def test_broken_log_gets_no_new_key(five, tamper, successor, broken):
    """An exchange would cover the traces."""
    tamper(broken)
    with pytest.raises(AuditBrokenError), five.begin() as connection:
        successor.exchange_key(connection, EXCHANGED)


def test_exchange_needs_the_key_before(five, audit):
    """Without a previous key there is nothing to exchange."""
    with pytest.raises(AuditBrokenError, match="no previous key"), five.begin() as connection:
        audit.exchange_key(connection, EXCHANGED)


def test_empty_fields_do_not_count():
    """A column that a later release adds leaves the digests of earlier records as they are."""
    assert chain.digest_of(KEY, "", {"a": 1}) == chain.digest_of(KEY, "", {"a": 1, "b": None})


def test_note_survives_a_closed_database(engine, audit, owner):
    """What cannot be noted is told in the log of the service, without an exception."""
    with owner.begin() as connection:
        connection.execute(text("DROP TABLE audit_anchors"))
    assert audit.note(engine, record()) is False
