import pytest

from payproof_reference.services.events import webhooks
from payproof_reference.services.stripe.errors import Category
from tests.recording import record_event
from tests.reference_impl.deliveries import event, subscription

OUTAGE = Category.TEMPORARILY_UNAVAILABLE
STATE = "status, stripe_price_id, cancel_at_period_end, event_created_at"


@pytest.fixture
def deliver(shop):
    """Record an event of a subscription, as the webhook would."""

    def one(kind: str, created: float, **changes: object) -> None:
        parsed = webhooks.parse(event(f"customer.subscription.{kind}", subscription(**changes), created=int(created)))
        record_event(shop.engine, shop.audit, parsed, livemode=False, received_at=int(created), origin="192.0.2.1")

    return one


def state(shop):
    """Read the one subscription."""
    (row,) = shop.client.rows("subscriptions", STATE)
    return row


def test_new_customer_belongs_to_the_tenant(shop):
    """The answer writes the customer with its tenant, and a time that every event is newer than."""
    customer_id = shop.customer()
    assert shop.client.rows("customers") == [(customer_id, 0, 0, "ten_first")]


@pytest.mark.parametrize("owner_before", [None, "ten_other"])
def test_customer_whose_event_came_first_is_adopted_once(shop, owner_before):
    """An event knows no tenant and is completed; who has an owner keeps it."""
    values = {"stripe_customer_id": "cus_000001", "deleted": False, "event_created_at": 5, "tenant_id": owner_before}
    shop.insert("customers", values)
    shop.post("/customers")
    assert shop.client.rows("customers") == [("cus_000001", 0, 5, owner_before or "ten_first")]


def test_new_subscription_is_shown_at_once(shop, deliver):
    """The answer writes the row, and the first event, of whatever time, replaces it."""
    shop.subscription()
    assert state(shop) == ("active", "price_1", 0, 0)
    deliver("created", 1, id="sub_000002", customer="cus_000001", status="incomplete")
    assert state(shop) == ("incomplete", "price_1", 0, 1)


def test_new_subscription_whose_event_came_first_is_left_alone(shop):
    """An answer that comes after the event does not replace it."""
    customer_id = shop.customer()
    values = {"stripe_subscription_id": "sub_000002", "stripe_customer_id": customer_id, "status": "past_due"}
    shop.insert("subscriptions", values | {"cancel_at_period_end": True, "event_created_at": 7})
    assert shop.subscription(customer_id) == "sub_000002"
    assert state(shop) == ("past_due", None, 1, 7)


def test_change_is_shown_at_once_and_leaves_the_time_to_events(shop, deliver):
    """A change is in the row with the answer; the time stays, so that every later event wins."""
    own = f"/subscriptions/{shop.subscription()}"
    deliver("created", 1_700_000_000, id="sub_000002", customer="cus_000001")
    assert shop.post(f"{own}/change-plan", {"price_id": "price_2"}).json()["price_id"] == "price_2"
    assert shop.post(f"{own}/cancel", {"at": "period_end"}).json()["cancel_at_period_end"] is True
    assert state(shop) == ("active", "price_2", 1, 1_700_000_000)
    deliver("updated", 1_700_000_001, id="sub_000002", customer="cus_000001", status="past_due")
    assert state(shop) == ("past_due", "price_1", 0, 1_700_000_001)


def test_answer_does_not_replace_a_newer_event(shop, deliver):
    """What an event reported after the question was asked stays, because the answer may be older."""
    own = f"/subscriptions/{shop.subscription()}"
    deliver("updated", shop.now() + 60, id="sub_000002", customer="cus_000001", status="past_due")
    answer = shop.post(f"{own}/change-plan", {"price_id": "price_2"})
    assert (answer.status_code, answer.json()["status"], answer.json()["price_id"]) == (200, "past_due", "price_1")


def test_repeated_answer_is_as_old_as_the_question(shop, deliver):
    """What Stripe repeats hours later under its key does not undo what happened in between."""
    own = f"/subscriptions/{shop.subscription()}"
    shop.stripe.replay.fail_next(OUTAGE, after_effect=True)
    assert shop.post(f"{own}/change-plan", {"price_id": "price_2"}).status_code == 202
    deliver("updated", shop.now() + 3600, id="sub_000002", customer="cus_000001", status="unpaid")
    shop.work(ahead=7200)
    assert shop.operations("status")[-1] == ("succeeded",)
    assert state(shop)[:2] == ("unpaid", "price_1")


def test_first_attempt_is_as_new_as_itself(shop, deliver):
    """What waited for another operation is answered afresh, and shown over the events of that time."""
    own = f"/subscriptions/{shop.subscription()}"
    shop.stripe.replay.fail_next(OUTAGE)
    assert shop.post(f"{own}/resume").status_code == 202
    assert shop.post(f"{own}/change-plan", {"price_id": "price_2"}).status_code == 202
    deliver("updated", shop.now() + 3600, id="sub_000002", customer="cus_000001")
    shop.work(ahead=7200)
    assert state(shop)[:2] == ("active", "price_2")


@pytest.mark.parametrize("final", ["canceled", "incomplete_expired"])
def test_what_has_ended_is_not_revived(shop, final):
    """Whatever Stripe answers, an ended subscription stays ended and grants nothing."""
    own = f"/subscriptions/{shop.subscription()}"
    shop.execute("UPDATE subscriptions SET status = :final", final=final)
    for path, body in (("/resume", None), ("/change-plan", {"price_id": "price_2"})):
        answer = shop.post(own + path, body)
        assert (answer.status_code, answer.json()["status"], answer.json()["entitled"]) == (200, final, False)


def test_deleted_customer_is_not_revived(shop):
    """The answer to a creation does not undo a deletion that came before it."""
    values = {"stripe_customer_id": "cus_000001", "deleted": True, "event_created_at": 5, "tenant_id": None}
    shop.insert("customers", values)
    assert shop.post("/customers").json() == {"id": "cus_000001", "deleted": True}


def test_amount_of_the_price_before_is_forgotten(shop):
    """After a change of plan the amount is that of the new price, and not what an event told of the old one."""
    subscription_id = shop.subscription()
    shop.execute("UPDATE subscriptions SET unit_amount = 1000, currency = 'usd'")
    answer = shop.post(f"/subscriptions/{subscription_id}/change-plan", {"price_id": "price_2"})
    assert answer.json()["entitled"] is True
    assert shop.client.rows("subscriptions", "unit_amount, currency") == [(2500, "usd")]


def test_refund_changes_the_payment_only_by_its_event(shop):
    """What is refunded in all is told by Stripe's event; the answer would be added to it."""
    intent = shop.payment(amount=1000)
    assert shop.post("/refunds", {"payment_intent_id": intent, "amount": 300}).status_code == 201
    assert shop.client.rows("payments", "amount_refunded") == [(0,)]
