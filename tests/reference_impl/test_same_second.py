import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from payproof_reference.database.engine import open_database
from payproof_reference.services.audit.chain import IntactLog
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.stripe.errors import Category
from payproof_reference.services.stripe.snapshots import SubscriptionSnapshot
from tests.reference_impl.deliveries import event, subscription
from tests.reference_impl.stripe_twin import InMemoryStripe

STATE = "status, event_created_at"
SECOND = 1_700_000_000


def state_of(status: str) -> SubscriptionSnapshot:
    """Build what Stripe answers."""
    return SubscriptionSnapshot.model_validate(subscription(status=status))


class Overtaken(InMemoryStripe):
    """A Stripe whose answers take long enough for something else to happen before they arrive."""

    def __init__(self, *meanwhile) -> None:
        super().__init__({})
        self.meanwhile = list(meanwhile)

    def retrieve_subscription(self, subscription_id):
        answer = super().retrieve_subscription(subscription_id)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return answer


@pytest.fixture
def elsewhere(client, addresses):
    """The same service in another process: nothing is shared but the database and Stripe."""
    opened = open_database(addresses.service)
    yield replace(client, engine=opened)
    opened.dispose()


@pytest.mark.parametrize("order", [("past_due", "active"), ("active", "past_due")])
@pytest.mark.parametrize("truth", ["past_due", "active", "unpaid"])
def test_two_updates_of_one_second_end_in_the_state_at_stripe(client, stripe, order, truth):
    """Which of two events of one second is newer only Stripe knows: it is asked, and its answer is applied."""
    stripe.subscriptions["sub_1"] = state_of(truth)
    for status in order:
        assert client.deliver(event(body=subscription(status=status))).status_code == 200
    assert client.rows("subscriptions", STATE) == [(truth, SECOND)]
    assert len(stripe.replay.calls) == 1
    assert client.rows("inbox", "outcome, reason")[1] == (
        ("ignored", "older_than_state") if truth == order[0] else ("applied", None)
    )


def test_what_is_applied_is_recorded(client, stripe):
    """The audit record of the effect names the state that Stripe told, and not the one in the event."""
    stripe.subscriptions["sub_1"] = state_of("unpaid")
    client.deliver(event(body=subscription(status="past_due")))
    client.deliver(event(body=subscription(status="active"), id="evt_late"))
    columns = "event, reason, object_id, reference"
    assert client.rows("audit_log", columns)[2:] == [
        ("webhook_received", None, "evt_late", None),
        ("subscription_changed", "unpaid", "sub_1", "evt_late"),
    ]


def test_later_event_needs_no_answer(client, stripe):
    """A second later the order is known, whatever was asked before."""
    stripe.subscriptions["sub_1"] = state_of("active")
    for status, created in [("past_due", SECOND), ("active", SECOND), ("unpaid", SECOND + 1), ("trialing", SECOND - 1)]:
        client.deliver(event(body=subscription(status=status), created=created))
    assert client.rows("subscriptions", STATE) == [("unpaid", SECOND + 1)]
    assert len(stripe.replay.calls) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (event(), event()),
        (event(), event(body=subscription(status="past_due"), livemode=True)),
        (event(), event(body=subscription(status="past_due"), account="acct_other")),
        (event(), event("customer.source.created", {"id": "card_1"})),
        (event(), event("customer.subscription.deleted", subscription(status="canceled"))),
        (event("customer.subscription.deleted", subscription(status="canceled")), event()),
        (
            event("customer.subscription.deleted", subscription(status="canceled")),
            event(body=subscription(status="canceled", cancel_at_period_end=True)),
        ),
        (event("customer.created", {"id": "cus_1"}), event("customer.updated", {"id": "cus_1"})),
    ],
)
def test_stripe_is_not_asked_without_need(client, stripe, first, second):
    """Events that agree, that are of no concern, or of which one reports an end are settled without Stripe."""
    for body in (first, second):
        assert client.deliver(body).status_code == 200
    assert stripe.replay.calls == []


def test_copy_is_a_duplicate_without_an_answer(client, stripe):
    """A copy of an event of a decided second is recognised before anything is asked."""
    stripe.subscriptions["sub_1"] = state_of("active")
    late = event(body=subscription(status="active"))
    for body in (event(body=subscription(status="past_due")), late, late):
        client.deliver(body)
    assert len(stripe.replay.calls) == 1
    assert [outcome for (outcome,) in client.rows("inbox", "outcome")] == ["applied", "applied"]


def test_stripe_down_means_come_again(client, stripe):
    """Without an answer nothing is applied and the sender is told so; the next delivery is applied, exactly once."""
    stripe.subscriptions["sub_1"] = state_of("active")
    stripe.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE)
    client.deliver(event(body=subscription(status="past_due")))
    late = event(body=subscription(status="active"), id="evt_late")
    with capture_logs() as lines:
        refused = client.deliver(late)
    assert refused.status_code == 503
    assert set(refused.json()["error"]) == {"code", "message", "reference"}
    assert (lines[-1]["event"], lines[-1]["reference"]) == (
        "webhook_deferred",
        refused.json()["error"]["reference"],
    )
    assert client.rows("subscriptions", STATE) == [("past_due", SECOND)]
    assert [client.deliver(late).status_code for _ in range(2)] == [200, 200]
    assert client.rows("subscriptions", STATE) == [("active", SECOND)]
    assert client.rows("audit_log", "event, result, object_id")[2:] == [
        ("webhook_failed", "failed", "evt_late"),
        ("webhook_received", "success", "evt_late"),
        ("subscription_changed", "success", "sub_1"),
        ("webhook_duplicate", "ignored", "evt_late"),
    ]
    assert len(client.rows("inbox")) == 2


def test_nothing_is_held_while_stripe_answers(client, elsewhere):
    """While Stripe is asked, others write, audit log included: no transaction waits for an answer."""
    delivered = []

    def deliver() -> None:
        assert elsewhere.deliver(event(body=subscription(id="sub_2"))).status_code == 200
        delivered.append(1)

    slow = Overtaken(deliver)
    slow.subscriptions["sub_1"] = state_of("active")
    for status in ("past_due", "active"):
        assert replace(client, stripe=slow).deliver(event(body=subscription(status=status))).status_code == 200
    assert delivered
    assert client.rows("subscriptions", "status") == [("active",), ("active",)]


@pytest.mark.parametrize("meanwhile", [("unpaid",), ("unpaid", "past_due")])
def test_answer_that_was_overtaken_is_not_applied(client, stripe, elsewhere, meanwhile):
    """While one process waits for an answer another applies newer ones: the old answer is thrown away, even where the
    row looks as it did before.
    """

    def overtake() -> None:
        for status in meanwhile:
            stripe.subscriptions["sub_1"] = state_of(status)
            assert elsewhere.deliver(event(body=subscription(status=status))).status_code == 200
        slow.subscriptions["sub_1"] = state_of(meanwhile[-1])

    slow = Overtaken(overtake)
    slow.subscriptions["sub_1"] = state_of("active")
    for status in ("past_due", "active"):
        assert replace(client, stripe=slow).deliver(event(body=subscription(status=status))).status_code == 200
    assert client.rows("subscriptions", STATE) == [(meanwhile[-1], SECOND)]
    assert len(slow.replay.calls) == 2


def test_newer_event_overtakes_an_answer(client, elsewhere):
    """An event of a later second that comes while Stripe answers stays, and Stripe is not asked again."""
    slow = Overtaken(
        lambda: elsewhere.deliver(event(body=subscription(status="unpaid"), created=SECOND + 1)),
    )
    slow.subscriptions["sub_1"] = state_of("active")
    for status in ("past_due", "active"):
        assert replace(client, stripe=slow).deliver(event(body=subscription(status=status))).status_code == 200
    assert client.rows("subscriptions", STATE) == [("unpaid", SECOND + 1)]
    assert len(slow.replay.calls) == 1


def test_race_of_one_second_ends_in_the_state_at_stripe(client, elsewhere, audit: AuditLog):
    """However many events of one second race through two processes, while the state at Stripe goes on changing, and
    whatever stale answers arrive late: the row ends as Stripe does.
    """
    chance = random.Random(7)
    happening = threading.Lock()

    class Jittery(InMemoryStripe):
        def retrieve_subscription(self, subscription_id):
            answer = super().retrieve_subscription(subscription_id)
            time.sleep(chance.random() / 50)
            return answer

    jittery = Jittery({})
    processes = [replace(one, stripe=jittery) for one in (client, elsewhere)]

    def happen(number: int) -> int:
        status = chance.choice(["active", "past_due", "unpaid", "trialing"])
        with happening:
            jittery.subscriptions["sub_1"] = state_of(status)
            body = event(body=subscription(status=status))
        return processes[number % 2].deliver(body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(happen, range(40))) == {200}
    assert client.rows("subscriptions", "status") == [(jittery.subscriptions["sub_1"].status,)]
    assert len(client.rows("inbox")) == 40
    with client.engine.connect().execution_options(read_only=True) as connection:
        assert isinstance(audit.verify(connection), IntactLog)
