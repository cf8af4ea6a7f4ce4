"""What was delivered exists: the double knows the objects of events, and whatever these refer to."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from payproof.canary import make_canaries
from payproof.domain.subject import Subject
from payproof.stripe.double.relations import kind_of
from payproof.stripe.events import Event, EventFactory
from tests.double import NEWEST, OLDEST, Driver

FACTORY = EventFactory(Path(__file__).parents[2] / "fixtures" / "events", seed=3)
CANARIES = make_canaries(Random(1))
NOW = 1_900_000_000
EVENTS = [(version, type_) for version in FACTORY.versions() for type_ in FACTORY.types(version)]
#: Where each kind is fetched; what is not here is fetched nowhere.
PATHS = {
    "account": "/v1/accounts/{}",
    "balance_transaction": "/v1/balance_transactions/{}",
    "coupon": "/v1/coupons/{}",
    "credit_note": "/v1/credit_notes/{}",
    "invoiceitem": "/v1/invoiceitems/{}",
    "payout": "/v1/payouts/{}",
    "plan": "/v1/plans/{}",
    "promotion_code": "/v1/promotion_codes/{}",
    "radar.early_fraud_warning": "/v1/radar/early_fraud_warnings/{}",
    "setup_intent": "/v1/setup_intents/{}",
    "subscription_schedule": "/v1/subscription_schedules/{}",
    "charge": "/v1/charges/{}",
    "checkout.session": "/v1/checkout/sessions/{}",
    "customer": "/v1/customers/{}",
    "dispute": "/v1/disputes/{}",
    "invoice": "/v1/invoices/{}",
    "payment_intent": "/v1/payment_intents/{}",
    "payment_method": "/v1/payment_methods/{}",
    "price": "/v1/prices/{}",
    "product": "/v1/products/{}",
    "refund": "/v1/refunds/{}",
    "subscription": "/v1/subscriptions/{}",
    "subscription_item": "/v1/subscription_items/{}",
}


def make(type_: str, api_version: str = NEWEST, **options: Any) -> Event:
    """Make an event; everything but its type has a default."""
    defaults: dict[str, Any] = {"now": NOW, "canaries": CANARIES, "key": "one"}
    return FACTORY.make(type_, api_version=api_version, **defaults | options)


def told(*events: Event, api_version: str = NEWEST) -> Driver:
    """Return an account that has delivered events."""
    driver = Driver(api_version=api_version)
    for event in events:
        driver.double.take_in(event)
    return driver


def references(node: Any) -> Iterator[str]:
    """Yield each text that looks like an id of a kind that can be fetched."""
    if isinstance(node, dict):
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
    elif kind_of(node) in PATHS and any(sign.isdigit() or sign.isupper() for sign in node):
        yield node


def is_gone(event: Event) -> bool:
    return event.type.endswith(".deleted") and event.type != "customer.subscription.deleted"


@pytest.mark.parametrize(("api_version", "type_"), EVENTS)
def test_what_was_delivered_is_what_is_fetched(api_version, type_):
    """The object of an event is fetched as the event shows it, and the event is fetched as it was delivered."""
    event = make(type_, api_version)
    call = told(event, api_version=api_version)
    assert call(f"GET /v1/events/{event.id}") == event.content
    subject = event.content["data"]["object"]
    if subject["object"] in PATHS and event.object_id and "upcoming" not in event.object_id and not is_gone(event):
        assert call("GET " + PATHS[subject["object"]].format(event.object_id)) == subject


@pytest.mark.thorough
@pytest.mark.parametrize(("api_version", "type_"), EVENTS)
def test_whatever_an_event_names_exists(api_version, type_):
    """Every id in an event leads to an object, every id in that too, and so on, in both shapes."""
    event = make(type_, api_version)
    if is_gone(event):
        return
    call = told(event, api_version=api_version)
    waiting, known = list(references(event.content)), set[str]()
    while waiting:
        one = waiting.pop()
        if one not in known:
            known.add(one)
            for version in (OLDEST, NEWEST):
                kind = kind_of(one)
                found = call(f"GET {PATHS[str(kind)].format(one)}", {"stripe-version": version})
                assert (found["id"], found["object"]) == (one, kind)
                waiting += references(found)


def test_what_goes_with_a_payment_fits_it():
    """A paid invoice has a PaymentIntent that succeeded and a charge of its amount; a failed one has neither."""
    for type_, status, charged in (
        ("invoice.paid", "succeeded", "succeeded"),
        ("invoice.payment_failed", "requires_payment_method", "failed"),
    ):
        event = make(type_, set={"amount_due": 4200})
        call = told(event)
        invoice = call(f"GET /v1/invoices/{event.object_id}", expand=["payments"])
        payment = invoice["payments"]["data"][0]
        intent = call(f"GET /v1/payment_intents/{payment['payment']['payment_intent']}", expand=["latest_charge"])
        assert (intent["status"], intent["amount"], payment["amount_requested"]) == (status, 4200, 4200)
        if intent["latest_charge"] is not None:
            assert (intent["latest_charge"]["status"], intent["latest_charge"]["amount"]) == (charged, 4200)


def test_what_is_set_is_known():
    """Values and ids that a scenario sets are those of the account, and lead to objects of their own."""
    values = {
        "customer": "cus_subject",
        "status": "past_due",
        "items.data.0.price.id": "price_small",
        "metadata.u": "7",
    }
    for version in (OLDEST, NEWEST):
        event = make("customer.subscription.updated", version, set=values)
        call = told(event, api_version=version)
        found = call(f"GET /v1/subscriptions/{event.object_id}", expand=["customer"])
        assert (found["status"], found["metadata"]["u"]) == ("past_due", "7")
        assert found["customer"]["id"] == "cus_subject"
        assert found["items"]["data"][0]["price"]["id"] == call("GET /v1/prices/price_small")["id"]


@pytest.mark.parametrize("api_version", [OLDEST, NEWEST])
def test_the_subject_is_known(api_version):
    """What an event only names carries the texts by which the target finds its subject, too."""
    subject = Subject(ids={"cus": "cus_subject"}, metadata={"user": "17"}, email="subject@example.test", reference="r1")
    event = make("checkout.session.completed", api_version, subject=subject)
    call = told(event, api_version=api_version)
    session = call(f"GET /v1/checkout/sessions/{event.object_id}", expand=["subscription", "customer"])
    assert (session["client_reference_id"], session["metadata"]["user"]) == ("r1", "17")
    assert session["subscription"]["metadata"]["user"] == session["customer"]["metadata"]["user"] == "17"
    assert (session["customer"]["id"], session["customer"]["email"]) == ("cus_subject", "subject@example.test")


def test_an_older_shape_alone_is_known():
    """What only an older shape has is fetched in that shape as it was delivered."""
    event = make("customer.subscription.updated", OLDEST, set={"current_period_end": 1_950_000_000})
    call = told(event, api_version=OLDEST)
    assert call(f"GET /v1/subscriptions/{event.object_id}")["current_period_end"] == 1_950_000_000
    assert "current_period_end" not in call(f"GET /v1/subscriptions/{event.object_id}", {"stripe-version": NEWEST})


@pytest.mark.parametrize("reverse", [False, True])
def test_the_latest_state_wins(reverse):
    """Whatever the order of deliveries, the state of the latest event is the account's."""
    ids = {"sub": "sub_1known"}
    created = make("customer.subscription.created", ids=ids, now=NOW - 60, set={"status": "incomplete"})
    updated = make("customer.subscription.updated", ids=ids, now=NOW)
    call = told(*([updated, created] if reverse else [created, updated]))
    assert call("GET /v1/subscriptions/sub_1known")["status"] == "active"
    assert {event["id"] for event in call("GET /v1/events")["data"]} == {created.id, updated.id}


def test_within_a_second_the_last_delivery_wins():
    """Of two events of one second the account has the state of the one that was delivered last."""
    first = make("customer.subscription.updated", ids={"sub": "sub_1known"})
    second = make("customer.subscription.updated", ids={"sub": "sub_1known"}, key="two", set={"status": "past_due"})
    assert told(first, second)("GET /v1/subscriptions/sub_1known")["status"] == "past_due"


@pytest.mark.parametrize("api_version", [OLDEST, NEWEST])
def test_a_discount_leads_to_its_coupon(api_version):
    """The coupon of a discount or a promotion code exists, though no prefix tells what its id is of."""
    for type_ in ("customer.discount.created", "promotion_code.created"):
        event = make(type_, api_version)
        call = told(event, api_version=api_version)
        subject = event.content["data"]["object"]
        held = subject if api_version == OLDEST else subject.get("source") or subject["promotion"]
        coupon = held["coupon"]["id"] if api_version == OLDEST else held["coupon"]
        assert call(f"GET /v1/coupons/{coupon}")["percent_off"] == 25
    assert call(f"GET /v1/promotion_codes/{event.object_id}") == subject


def test_a_deleted_object_is_gone():
    """A deleted customer is shown as deleted; an older event about him does not bring him back."""
    ids = {"cus": "cus_known"}
    call = told(make("customer.deleted", ids=ids), make("customer.updated", ids=ids, now=NOW - 5))
    assert call("GET /v1/customers/cus_known") == {"id": "cus_known", "object": "customer", "deleted": True}


def test_what_calls_have_made_stays():
    """An event that only mentions an object of the account does not change it; one about it does."""
    call = Driver()
    customer = call("POST /v1/customers", name="Own")["id"]
    call.double.hooks.sell("price_team", amount=1234, currency="eur", recurring=True)
    subscription = make("customer.subscription.updated", ids={"cus": customer, "price": "price_team"})
    call.double.take_in(subscription)
    assert call(f"GET /v1/customers/{customer}")["name"] == "Own"
    assert call("GET /v1/prices/price_team")["unit_amount"] == 1234
    call.double.take_in(make("customer.updated", ids={"cus": customer}))
    assert call(f"GET /v1/customers/{customer}")["name"] == CANARIES["name"]


def test_what_was_delivered_can_be_changed():
    """Calls work on delivered objects as on any, and older shapes then show the change."""
    event = make("customer.subscription.created", OLDEST)
    call = told(event, api_version=OLDEST)
    call(f"POST /v1/subscriptions/{event.object_id}", cancel_at_period_end=True)
    assert call(f"GET /v1/subscriptions/{event.object_id}")["cancel_at_period_end"] is True
    assert call(f"DELETE /v1/subscriptions/{event.object_id}")["status"] == "canceled"


def test_delivered_events_are_not_sent_again():
    """What was delivered is not among what the double has to send; what it wrote itself is taken in only once."""
    call = told(make("customer.created"))
    assert call.events() == []
    made = call("POST /v1/customers", name="A")
    (event,) = call.double.take_events()
    before = call(f"GET /v1/customers/{made['id']}")
    call.double.take_in(event)
    assert call(f"GET /v1/customers/{made['id']}") == before
    assert json.loads(event.encode())["id"] == call(f"GET /v1/events/{event.id}")["id"]


def test_a_call_does_not_wait_for_a_whole_burst():
    """Once a target has asked, what is delivered is made as it comes, but for the last of it."""
    call = Driver()
    call("POST /v1/customers")
    made = [make("customer.created", ids={"cus": f"cus_burst{n:04}"}, key=str(n)) for n in range(120)]
    for event in made:
        call.double.take_in(event)
    assert len(call.double._delivered) == 50
    assert [call(f"GET /v1/customers/{event.object_id}")["id"] for event in made] == [one.object_id for one in made]
