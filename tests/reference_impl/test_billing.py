import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from payproof_reference.services.events import effects, webhooks
from payproof_reference.services.events.delivery import EventOutcome, IgnoredReason, Receipt
from payproof_reference.services.events.webhooks import Cause, RejectedError
from tests.recording import record_event
from tests.reference_impl.deliveries import event, subscription

INVOICE = {"id": "in_1", "customer": "cus_1", "status": "paid", "amount_due": 1999, "currency": "eur"}
CHARGE = {
    "id": "ch_1",
    "payment_intent": "pi_1",
    "customer": "cus_1",
    "status": "succeeded",
    "amount": 1999,
    "amount_refunded": 0,
    "currency": "eur",
}
STATE = "status, event_created_at"
STATES = ("customers", "subscriptions", "invoices", "payments", "disputes", "checkout_sessions")
OWN = "acct_own"


@pytest.fixture
def record(engine, audit):
    """Record the body of a delivery, as the route would."""

    def one(body: bytes) -> Receipt:
        event = webhooks.parse(body)
        return record_event(engine, audit, event, livemode=False, received_at=1_700_000_001, origin="192.0.2.1")

    return one


def delivered(engine, audit, found, account) -> Receipt:
    """Record an event for a service that was told its account."""
    own = {"livemode": False, "account": account}
    return record_event(engine, audit, found, **own, received_at=1_700_000_001, origin="192.0.2.1")


def test_subscription_is_stored_alike_in_both_shapes(record, client):
    """The period ends on the subscription before basil and on its item since; the row is the same."""
    before = subscription(
        current_period_end=1_800_000_000,
        items={"data": [{"price": {"id": "price_1", "unit_amount": 1999, "currency": "eur"}}]},
        customer={"id": "cus_1", "object": "customer", "name": "Jenny Rosen"},
    )
    record(event())
    since = client.rows("subscriptions")
    record(event(body=before, created=1_700_000_000))
    assert (
        since
        == client.rows("subscriptions")
        == [("sub_1", "cus_1", "price_1", "active", 1_800_000_000, 0, 1_700_000_000, 1999, "eur")]
    )


@pytest.mark.parametrize(
    "shape", [{"subscription": "sub_1"}, {"parent": {"subscription_details": {"subscription": "sub_1"}}}]
)
def test_invoice_is_stored_alike_in_both_shapes(record, client, shape):
    """The subscription is named on the invoice before basil and under its parent since; the row is the same."""
    record(event("invoice.paid", INVOICE | shape))
    assert client.rows("invoices") == [("in_1", "cus_1", "sub_1", "paid", 1999, "eur", 1_700_000_000)]


def test_invoice_without_subscription_is_stored(record, client):
    """A one-off invoice belongs to a customer only."""
    record(event("invoice.payment_failed", INVOICE | {"status": "open", "parent": None}))
    assert client.rows("invoices", "stripe_subscription_id, status") == [(None, "open")]


def test_customer_is_reduced_to_its_id(record, client):
    """Of a customer the id, the deletion and a time are kept."""
    personal = {"id": "cus_1", "email": "jenny@example.com", "name": "Jenny Rosen"}
    record(event("customer.created", personal))
    assert client.rows("customers") == [("cus_1", 0, 1_700_000_000, None)]
    record(event("customer.deleted", personal, created=1_700_000_005))
    assert client.rows("customers") == [("cus_1", 1, 1_700_000_005, None)]


def test_copy_has_no_effect(record, client):
    """The second delivery of an event is a duplicate, even when its content differs."""
    first = event(id="evt_1")
    assert record(first) == Receipt(EventOutcome.APPLIED)
    assert record(event(id="evt_1", body=subscription(status="past_due"), created=1_700_000_009)) == Receipt(
        EventOutcome.DUPLICATE
    )
    assert client.rows("subscriptions", STATE) == [("active", 1_700_000_000)]
    assert client.rows("inbox") == [
        ("evt_1", "customer.subscription.updated", 1_700_000_000, 1_700_000_001, "applied", None)
    ]


def test_copies_at_once_have_one_effect(record):
    """Of twenty copies in twenty threads exactly one is applied."""
    body = event()
    with ThreadPoolExecutor(20) as pool:
        outcomes = [receipt.outcome for receipt in pool.map(record, [body] * 20)]
    assert sorted(outcomes) == [EventOutcome.APPLIED] + [EventOutcome.DUPLICATE] * 19


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_newest_state_wins_in_any_order(record, client, order):
    """Created, updated and deleted end in the cancelled state, whatever their order of arrival."""
    deliveries = [
        event("customer.subscription.created", subscription(status="trialing"), created=1_700_000_000),
        event("customer.subscription.updated", subscription(status="active"), created=1_700_000_001),
        event("customer.subscription.deleted", subscription(status="canceled"), created=1_700_000_002),
    ]
    for index in order:
        record(deliveries[index])
    assert client.rows("subscriptions", STATE) == [("canceled", 1_700_000_002)]


def test_older_event_is_ignored_with_its_reason(record, client):
    """An older event leaves the state alone, and the inbox says why."""
    record(event(created=1_700_000_005))
    assert record(event(id="evt_old", body=subscription(status="past_due"))) == Receipt(
        EventOutcome.IGNORED, IgnoredReason.OLDER_THAN_STATE
    )
    assert client.rows("subscriptions", "status") == [("active",)]
    assert ("evt_old", "ignored", "older_than_state") in client.rows("inbox", "stripe_event_id, outcome, reason")


def test_no_change_within_a_second_is_one_effect(record, client):
    """Two events that report the same state in the same second are one effect, and the second says so."""
    assert record(event()) == Receipt(EventOutcome.APPLIED)
    assert record(event()) == Receipt(EventOutcome.IGNORED, IgnoredReason.NO_CHANGE)
    told = [("webhook_received",), ("subscription_changed",), ("webhook_received",)]
    assert client.rows("audit_log", "event") == told


def test_subscription_without_plan_or_amount_is_stored(record, client):
    """A price with tiers has no amount, and a subscription without items no price."""
    tiers = {"data": [{"price": {"id": "price_1", "unit_amount": None, "currency": "eur"}}]}
    record(event(body=subscription(id="sub_1", items=tiers)))
    record(event(body=subscription(id="sub_2", items={"data": []})))
    columns = "stripe_price_id, unit_amount, currency"
    assert client.rows("subscriptions", columns) == [("price_1", None, "eur"), (None, None, None)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            event("charge.captured", {"payment_method_details": {"card": {"last4": "4242"}}}),
            IgnoredReason.UNHANDLED_TYPE,
        ),
        (event("customer.source.created", {"id": "card_1"}), IgnoredReason.UNHANDLED_TYPE),
        (event(livemode=True), IgnoredReason.WRONG_MODE),
        (event(account="acct_other"), IgnoredReason.WRONG_ACCOUNT),
        (event("charge.updated", CHARGE), IgnoredReason.UNHANDLED_TYPE),
        (event("v1.charge.succeeded", CHARGE), IgnoredReason.UNHANDLED_TYPE),
    ],
)
def test_event_of_no_concern_leaves_an_inbox_row_only(record, client, body, reason):
    """An unknown type, the other mode and another account are acknowledged, without effect."""
    assert record(body) == Receipt(EventOutcome.IGNORED, reason)
    assert client.rows("inbox", "outcome, reason") == [("ignored", reason)]
    assert client.rows("audit_log", "event, result, reason") == [("webhook_received", "ignored", reason)]
    assert [client.rows(name) for name in STATES] == [[]] * len(STATES)


@pytest.mark.parametrize("named", [{}, {"account": None, "context": None}, {"context": ""}, {"account": OWN}])
def test_event_of_the_own_account_is_applied(engine, audit, named):
    """The own account is named by nobody, or by its id where the service knows it."""
    found = webhooks.parse(event(**named))
    assert delivered(engine, audit, found, account=OWN) == Receipt(EventOutcome.APPLIED)


@pytest.mark.parametrize("account", [None, OWN])
@pytest.mark.parametrize(
    "named",
    [
        {"account": "acct_other"},
        {"context": "acct_other"},
        {"account": OWN, "context": "acct_other"},
        {"account": "acct_other", "context": OWN},
        {"context": f"org_1/{OWN}"},
        {"account": OWN.upper()},
    ],
)
def test_event_of_another_account_is_ignored(engine, audit, client, account, named):
    """Who may send to the endpoint for one account cannot change what belongs to another."""
    found = webhooks.parse(event(**named))
    assert delivered(engine, audit, found, account=account) == Receipt(
        EventOutcome.IGNORED, IgnoredReason.WRONG_ACCOUNT
    )
    assert client.rows("subscriptions") == []


def test_account_that_the_service_does_not_know_is_another(engine, audit):
    """Without the setting, an event that names an account is never taken for the own."""
    found = webhooks.parse(event(account=OWN))
    assert delivered(engine, audit, found, account=None) == Receipt(EventOutcome.IGNORED, IgnoredReason.WRONG_ACCOUNT)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("customer.created", {"id": "jenny@example.com"}),
        ("customer.subscription.updated", subscription(status="4" * 16)),
        ("customer.subscription.updated", subscription(customer=None)),
        ("customer.subscription.updated", subscription(current_period_end=10**15)),
        ("invoice.paid", INVOICE | {"amount_due": int("42" * 8)}),
        ("invoice.paid", INVOICE | {"amount_due": True}),
        ("invoice.paid", INVOICE | {"currency": "Jenny Rosen"}),
        ("invoice.paid", INVOICE | {"parent": []}),
        ("charge.succeeded", CHARGE | {"id": "4242424242424242"}),
        ("charge.succeeded", CHARGE | {"amount": int("42" * 8)}),
        ("charge.refunded", CHARGE | {"customer": "jenny@example.com"}),
        ("charge.dispute.created", CHARGE | {"id": "dp_1", "status": "needs_response"}),
        ("checkout.session.completed", {"id": "cs_1", "status": "complete", "payment_status": "4" * 16}),
    ],
)
def test_object_of_another_shape_is_refused(record, client, kind, body):
    """A handled type with an unusable object is refused and leaves nothing, so that Stripe repeats it."""
    with pytest.raises(RejectedError) as refusal:
        record(event(kind, body))
    assert refusal.value.cause is Cause.NOT_AN_EVENT
    assert client.rows("inbox") == []


def test_inbox_and_effect_are_one(record, client, monkeypatch):
    """When the effect fails the inbox forgets the event, so its next delivery is applied."""
    body = event()
    with monkeypatch.context() as patched:
        patched.setattr(effects, "apply_snapshot", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            record(body)
    assert client.rows("inbox") == []
    assert record(body) == Receipt(EventOutcome.APPLIED)
