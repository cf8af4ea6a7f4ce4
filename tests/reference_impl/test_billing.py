import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from reference_impl.services import billing, webhooks
from reference_impl.services.billing import Outcome, Reason, Receipt
from reference_impl.services.webhooks import Cause, RejectedError
from tests.reference_impl.deliveries import event, subscription

INVOICE = {"id": "in_1", "customer": "cus_1", "status": "paid", "amount_due": 1999, "currency": "eur"}
STATE = "status, event_created_at"


@pytest.fixture
def record(engine, audit):
    """Record the body of a delivery, as the route would."""

    def one(body: bytes) -> Receipt:
        event = webhooks.parse(body)
        return billing.record(engine, audit, event, livemode=False, received_at=1_700_000_001, origin="192.0.2.1")

    return one


def test_subscription_is_stored_alike_in_both_shapes(record, client):
    """The period ends on the subscription before basil and on its item since; the row is the same."""
    before = subscription(
        current_period_end=1_800_000_000,
        items={"data": [{"price": {"id": "price_1"}}]},
        customer={"id": "cus_1", "object": "customer", "name": "Jenny Rosen"},
    )
    record(event())
    since = client.rows("subscriptions")
    record(event(body=before, created=1_700_000_000))
    assert (
        since
        == client.rows("subscriptions")
        == [("sub_1", "cus_1", "price_1", "active", 1_800_000_000, 0, 1_700_000_000, None, None)]
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
    assert record(first) == Receipt(Outcome.APPLIED)
    assert record(event(id="evt_1", body=subscription(status="past_due"), created=1_700_000_009)) == Receipt(
        Outcome.DUPLICATE
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
    assert sorted(outcomes) == [Outcome.APPLIED] + [Outcome.DUPLICATE] * 19


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
        Outcome.IGNORED, Reason.OLDER_THAN_STATE
    )
    assert client.rows("subscriptions", "status") == [("active",)]
    assert ("evt_old", "ignored", "older_than_state") in client.rows("inbox", "stripe_event_id, outcome, reason")


def test_cancelled_stays_cancelled_within_a_second(record, client):
    """Of two events of one second the later delivery wins, except over a cancellation."""
    record(event(body=subscription(status="past_due")))
    record(event("customer.subscription.deleted", subscription(status="canceled")))
    record(event(body=subscription(status="active")))
    assert client.rows("subscriptions", "status") == [("canceled",)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event("charge.succeeded", {"payment_method_details": {"card": {"last4": "4242"}}}), Reason.UNHANDLED_TYPE),
        (event("customer.source.created", {"id": "card_1"}), Reason.UNHANDLED_TYPE),
        (event(livemode=True), Reason.WRONG_MODE),
    ],
)
def test_event_of_no_concern_leaves_an_inbox_row_only(record, client, body, reason):
    """An unknown type and the other mode are acknowledged, without effect."""
    assert record(body) == Receipt(Outcome.IGNORED, reason)
    assert client.rows("inbox", "outcome, reason") == [("ignored", reason)]
    assert [client.rows(name) for name in ("customers", "subscriptions", "invoices")] == [[], [], []]


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
        patched.setattr(billing, "apply", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            record(body)
    assert client.rows("inbox") == []
    assert record(body) == Receipt(Outcome.APPLIED)
