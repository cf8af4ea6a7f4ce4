import itertools
from functools import partial

import pytest
from sqlalchemy import text

from payproof_reference.services.events import audit_records, event_types, webhooks
from payproof_reference.services.events.delivery import EventOutcome, IgnoredReason, Receipt
from tests.recording import record_event
from tests.reference_impl.deliveries import event, subscription

NOW = 1_700_000_000
INVOICE = {"id": "in_1", "customer": "cus_1", "status": "open", "amount_due": 1999, "currency": "eur"}
CHARGE = {
    "id": "ch_1",
    "payment_intent": {"id": "pi_1", "object": "payment_intent"},
    "customer": "cus_1",
    "status": "succeeded",
    "amount": 1999,
    "amount_refunded": 0,
    "currency": "eur",
}
DISPUTE = {"id": "dp_1", "charge": "ch_1", "status": "needs_response", "amount": 1999, "currency": "eur"}
SESSION = {"id": "cs_test_1", "customer": "cus_1", "status": "complete", "payment_status": "unpaid"}


@pytest.fixture
def record(engine, audit):
    """Record the body of a delivery."""

    def one(body: bytes) -> Receipt:
        found = webhooks.parse(body)
        return record_event(engine, audit, found, livemode=False, received_at=NOW, origin="192.0.2.1")

    return one


def report(kind: str, body: dict[str, object], later: int, **changes: object) -> bytes:
    """Build an event of so many seconds later."""
    return event(kind, body | changes, created=NOW + later)


updated = partial(report, "customer.subscription.updated", subscription())
failed = partial(report, "invoice.payment_failed", INVOICE)
paid = partial(report, "invoice.paid", INVOICE, status="paid")
refunded = partial(report, "charge.refunded", CHARGE)
dispute = partial(report, "charge.dispute.updated", DISPUTE)
session = partial(report, "checkout.session.completed", SESSION)
ENDED = partial(report, "customer.subscription.deleted", subscription(status="canceled"))
GONE = partial(report, "customer.deleted", {"id": "cus_1"})
THERE = partial(report, "customer.updated", {"id": "cus_1"})

# What is reported of one object, and the columns and values in which all of it ends.
ENDS = {
    "cancelled subscription": ([updated(9), ENDED(5), updated(5, status="past_due")], "status", ("canceled",)),
    "expired subscription": ([updated(9), updated(5, status="incomplete_expired")], "status", ("incomplete_expired",)),
    "deleted customer": ([THERE(9), GONE(5), THERE(5)], "deleted", (True,)),
    "paid invoice": ([failed(9), paid(5), failed(5)], "status", ("paid",)),
    "void invoice": ([failed(9), failed(5, status="void")], "status", ("void",)),
    "uncollectible invoice that was paid": ([failed(5, status="uncollectible"), paid(5)], "status", ("paid",)),
    "uncollectible invoice": ([failed(5, status="uncollectible"), failed(5)], "status", ("uncollectible",)),
    "newer invoice": ([failed(5), failed(6, amount_due=5)], "amount_due", (5,)),
    "refunded payment": (
        [
            report("charge.succeeded", CHARGE, 9),
            refunded(5, amount_refunded=500),
            refunded(5, amount_refunded=1999),
            refunded(4, amount_refunded=900),
        ],
        "status, amount_refunded",
        ("succeeded", 1999),
    ),
    "payment that was pending": (
        [refunded(9, status="pending"), report("charge.succeeded", CHARGE, 5)],
        "status",
        ("succeeded",),
    ),
    "failed payment": ([refunded(9, status="pending"), refunded(5, status="failed")], "status", ("failed",)),
    "won dispute": ([dispute(9), dispute(5, status="won"), dispute(5, status="under_review")], "status", ("won",)),
    "lost dispute": ([dispute(9, status="under_review"), dispute(5, status="lost")], "status", ("lost",)),
    "lost dispute after an appeal": (
        [dispute(3, status="lost"), dispute(4, status="appeal_under_review"), dispute(5, status="lost"), dispute(9)],
        "status",
        ("lost",),
    ),
    "dispute won by an appeal": (
        [dispute(4, status="appeal_needs_response"), dispute(5, status="won"), dispute(9)],
        "status",
        ("won",),
    ),
    "dispute under appeal": (
        [dispute(4, status="lost"), dispute(5, status="appeal_under_review")],
        "status",
        ("appeal_under_review",),
    ),
    "dispute that was an inquiry": (
        [dispute(5, status="warning_under_review"), dispute(5), dispute(5, status="warning_needs_response")],
        "status",
        ("needs_response",),
    ),
    "paid session": (
        [session(9), session(5, payment_status="paid"), session(3, status="open")],
        "status, payment_status",
        ("complete", "paid"),
    ),
    "session with nothing to pay": (
        [session(5), session(5, payment_status="no_payment_required")],
        "payment_status",
        ("no_payment_required",),
    ),
    "expired session": ([session(9, status="open"), session(5, status="expired")], "status", ("expired",)),
    "session of old": ([session(5, status=None), session(6, payment_status="paid")], "payment_status", ("paid",)),
}
TABLES = {
    "subscription": "subscriptions",
    "customer": "customers",
    "invoice": "invoices",
    "payment": "payments",
    "dispute": "disputes",
    "session": "checkout_sessions",
}


@pytest.mark.parametrize("name", ENDS)
def test_reports_end_alike_in_any_order(record, engine, owner, name):
    """Whatever the order of arrival, and whatever the times say of a state that is never left: the end is the same."""
    reports, columns, end = ENDS[name]
    (table,) = [table for word, table in TABLES.items() if word in name.split()]
    again = itertools.count()
    for order in itertools.permutations(reports):
        for body in order:
            record(body.replace(b'"evt_', b'"evt_%d_' % next(again)))
        with owner.begin() as connection:
            assert connection.execute(text(f"SELECT {columns} FROM {table}")).fetchall() == [end]
            connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (paid(5), failed(9, status="void")),
        (failed(5, status="void"), paid(9)),
        (dispute(5, status="won"), dispute(9, status="lost")),
        (dispute(5, status="lost"), dispute(9, status="won")),
        (ENDED(5), updated(9, status="incomplete_expired")),
        (report("charge.succeeded", CHARGE, 5), report("charge.failed", CHARGE, 9, status="failed")),
        (session(5), session(9, status="expired")),
        (refunded(5, amount_refunded=1999), refunded(9, amount_refunded=500)),
        (session(5, payment_status="paid"), session(9)),
    ],
)
def test_final_state_is_not_exchanged_for_another(record, first, second):
    """Of two ends that exclude each other the one that is there stays, and nothing that was settled is taken back."""
    assert record(first) == Receipt(EventOutcome.APPLIED)
    assert record(second) == Receipt(EventOutcome.IGNORED, IgnoredReason.OLDER_THAN_STATE)


@pytest.mark.parametrize(
    ("kind", "body", "table", "row"),
    [
        ("charge.succeeded", CHARGE, "payments", ("ch_1", "pi_1", "cus_1", "succeeded", 1999, 0, "eur", NOW)),
        (
            "charge.failed",
            {"id": "py_1", "status": "failed", "amount": 1, "amount_refunded": 0, "currency": "usd"},
            "payments",
            ("py_1", None, None, "failed", 1, 0, "usd", NOW),
        ),
        ("charge.dispute.created", DISPUTE, "disputes", ("dp_1", "ch_1", "needs_response", 1999, "eur", NOW)),
        ("checkout.session.completed", SESSION, "checkout_sessions", ("cs_test_1", "cus_1", "complete", "unpaid", NOW)),
        (
            "checkout.session.expired",
            {"id": "cs_1", "customer": None, "status": None, "payment_status": "unpaid"},
            "checkout_sessions",
            ("cs_1", None, None, "unpaid", NOW),
        ),
    ],
)
def test_object_is_stored(record, client, kind, body, table, row):
    """Of a payment, a dispute or a session the ids, amounts and statuses are kept."""
    record(event(kind, body))
    assert client.rows(table) == [row]


def test_unpaid_session_grants_nothing(record, client):
    """A session that is complete and unpaid leaves no subscription; that it is paid later is noted, and grants nothing
    either: access hangs on the subscription, which has events of its own.
    """
    record(session(0))
    assert client.rows("checkout_sessions", "payment_status") == [("unpaid",)]
    record(report("checkout.session.async_payment_succeeded", SESSION, 1, payment_status="paid"))
    assert client.rows("checkout_sessions", "payment_status") == [("paid",)]
    assert client.rows("subscriptions") == client.rows("customers") == []


CLAIM = {"tenant": "ten_other", "tenant_id": "ten_other", "reference": "ten_other", "role": "owner"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("customer.created", {"id": "cus_1"}),
        ("customer.updated", {"id": "cus_1"}),
        ("customer.deleted", {"id": "cus_1"}),
        ("customer.subscription.updated", subscription()),
        ("invoice.paid", INVOICE | {"status": "paid"}),
        ("charge.succeeded", CHARGE),
        ("charge.refunded", CHARGE | {"amount_refunded": 1999}),
        ("charge.dispute.created", DISPUTE),
        ("checkout.session.completed", SESSION | {"client_reference_id": "ten_other"}),
    ],
)
def test_tenant_is_that_of_the_stored_customer(record, client, owner, kind, body):
    """Whatever metadata claims, an effect belongs to the tenant of the customer, and no event changes whose that is."""
    with owner.begin() as connection:
        for customer, tenant in (("cus_1", "ten_own"), ("cus_2", "ten_other")):
            connection.execute(text(f"INSERT INTO customers VALUES ('{customer}', false, 1, '{tenant}')"))
        connection.execute(text("INSERT INTO payments VALUES ('ch_1', NULL, 'cus_1', 'pending', 1, 0, 'eur', 1)"))
    receipt = record(event(kind, body | {"metadata": CLAIM}))
    assert receipt == Receipt(EventOutcome.APPLIED, tenant_id="ten_own")
    assert dict(client.rows("customers", "stripe_customer_id, tenant_id")) == {"cus_1": "ten_own", "cus_2": "ten_other"}
    assert client.rows("audit_log", "reference, tenant_id")[1][1] == "ten_own"


def test_effect_on_nobody_known_has_no_tenant(record):
    """A dispute of an unknown payment and an object of an unknown customer belong to no tenant."""
    assert record(event("charge.dispute.created", DISPUTE)) == Receipt(EventOutcome.APPLIED)
    assert record(event()) == Receipt(EventOutcome.APPLIED)


def test_every_handled_type_has_a_name_in_the_audit_log():
    """No effect goes by a name that was not chosen for it."""
    assert set(event_types.MODELS) == {
        kind for kind in audit_records.ACTIONS if not kind.startswith("customer.subscription.")
    }
