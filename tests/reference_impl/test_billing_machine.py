"""Orders of events, copies of them, operations and outages at random: in the end the database says what Stripe says."""

import asyncio
import json
import time
from itertools import count

import httpx
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from payproof_reference.database.engine import open_database
from payproof_reference.services.audit.chain import IntactLog
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.stripe.errors import Category
from tests.effort import examples
from tests.reference_impl.conftest import PRICES, Client
from tests.reference_impl.deliveries import signed
from tests.reference_impl.shop import Shop
from tests.reference_impl.stripe_twin import InMemoryStripe

OUTAGES = st.sampled_from([Category.TEMPORARILY_UNAVAILABLE, Category.RATE_LIMITED])
# What Stripe, or somebody in its dashboard, does without being asked by the service.
COURSES = st.sampled_from(
    [
        *({"status": status} for status in ("active", "past_due", "unpaid", "trialing", "canceled")),
        *({"cancel_at_period_end": flag} for flag in (True, False)),
    ]
)


class Billing(RuleBasedStateMachine):
    """A tenant, Stripe, and the network between Stripe and the service, which loses no event and keeps no order."""

    def __init__(self, addresses, configured):
        super().__init__()
        self.engine = open_database(addresses.service)
        self.audit = AuditLog(configured.audit_key)
        with self.engine.begin() as connection:
            self.audit.begin(connection)
        self.stripe = InMemoryStripe(PRICES)
        client = Client(configured, self.engine, self.stripe).as_principal()
        self.shop = Shop(client, self.engine, self.audit, self.stripe, configured)
        self.numbers, self.ahead = count(1), 0
        # Later and later, so that what was put off is due.
        self.turns = count(600, 600)
        self.told = {}
        self.sent, self.taken = [], set()

    # What the tenant does

    @rule()
    def create_customer(self):
        self.ask("/customers")

    @precondition(lambda self: self.stripe.customers)
    @rule(data=st.data(), price=st.sampled_from(sorted(PRICES)))
    def subscribe(self, data, price):
        self.ask("/subscriptions", {"customer_id": data.draw(st.sampled_from(self.customers())), "price_id": price})

    @precondition(lambda self: self.stripe.subscriptions)
    @rule(data=st.data(), change=st.sampled_from(["price_1", "price_2", "period_end", "now", "resume"]))
    def change(self, data, change):
        path = f"/subscriptions/{data.draw(st.sampled_from(sorted(self.stripe.subscriptions)))}"
        if change == "resume":
            self.ask(f"{path}/resume")
        elif change in PRICES:
            self.ask(f"{path}/change-plan", {"price_id": change})
        else:
            self.ask(f"{path}/cancel", {"at": change})

    # What Stripe and the network do

    @precondition(lambda self: self.running())
    @rule(data=st.data(), course=COURSES)
    def run_its_course(self, data, course):
        chosen = data.draw(st.sampled_from(self.running()))
        self.stripe.subscriptions[chosen] = self.stripe.subscriptions[chosen].model_copy(update=course)
        self.tell()

    @rule(category=OUTAGES, times=st.integers(1, 3), after_effect=st.booleans())
    def break_down(self, category, times, after_effect):
        self.stripe.replay.fail_next(category, times=times, after_effect=after_effect)

    @rule(seconds=st.integers(1, 5))
    def let_time_pass(self, seconds):
        self.ahead += seconds

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def deliver(self, data):
        at_once = data.draw(st.lists(st.sampled_from(range(len(self.sent))), min_size=1, max_size=6))
        self.take([self.sent[index] for index in at_once])

    @rule()
    def work(self):
        self.shop.work(ahead=next(self.turns))
        self.tell()

    # What must hold in the end

    def teardown(self):
        try:
            self.settle()
            self.check()
        finally:
            self.engine.dispose()

    def settle(self):
        """Let the outage end, the worker finish, and every event arrive, twice."""
        self.stripe.replay.recover()
        for _ in range(10):
            self.shop.work(ahead=next(self.turns))
        self.tell()
        for event in reversed(self.sent):
            self.take([event])
        before = self.rows()
        self.take(self.sent)
        assert self.rows() == before

    def check(self):
        assert self.taken == {event["id"] for event in self.sent}
        assert {status for (status,) in self.shop.operations("status")} <= {"succeeded", "failed"}
        asked = [status for kind, status in self.shop.operations("kind, status") if kind == "create_customer"]
        assert len(self.stripe.customers) == asked.count("succeeded")
        assert self.rows() == [
            sorted((id_, "ten_first") for id_ in self.stripe.customers),
            sorted(
                (one.id, one.customer, one.price_id, one.status, one.period_end, one.cancel_at_period_end)
                for one in self.stripe.subscriptions.values()
            ),
        ]
        received = [row for row in self.shop.read_audit_log("event, object_id") if row[0] == "webhook_received"]
        assert sorted(id_ for _, id_ in received) == sorted(self.taken)
        with self.engine.connect().execution_options(read_only=True) as connection:
            assert isinstance(self.audit.verify(connection), IntactLog)

    # Help for the rules

    def ask(self, path, body=None):
        answer = self.shop.post(path, body)
        assert answer.status_code in {200, 201, 202, 404, 422}, answer.text
        self.tell()

    def customers(self):
        return sorted(self.stripe.customers)

    def running(self):
        """Name the subscriptions that have not ended, which Stripe never changes again."""
        return sorted(id_ for id_, one in self.stripe.subscriptions.items() if one.status != "canceled")

    def tell(self):
        """Let Stripe make an event of each change since the last."""
        for id_ in self.stripe.customers:
            self.make("customer", id_, {"id": id_})
        for id_, one in self.stripe.subscriptions.items():
            self.make("customer.subscription", id_, one.model_dump(mode="json"))

    def make(self, kind, id_, body):
        if self.told.get(id_) == body:
            return
        happened = "updated" if id_ in self.told else "created"
        self.told[id_] = body
        if body.get("status") == "canceled":
            happened = "deleted"
        self.sent.append(
            {
                "id": f"evt_{next(self.numbers)}",
                "object": "event",
                "type": f"{kind}.{happened}",
                "created": int(time.time()) + self.ahead,
                "livemode": False,
                "data": {"object": body},
            }
        )

    def take(self, events):
        """Deliver events at once; Stripe sends again what is not taken."""
        bodies = [json.dumps(event).encode() for event in events]
        secret = self.shop.settings.stripe_webhook_secret.get_secret_value()

        async def post() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.shop.client.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://billing.test") as client:
                return await asyncio.gather(
                    *(client.post("/webhooks/stripe", content=body, headers=signed(body, secret)) for body in bodies)
                )

        for event, answer in zip(events, asyncio.run(post()), strict=True):
            assert answer.status_code in {200, 503}
            if answer.status_code == 200:
                self.taken.add(event["id"])

    def rows(self):
        """Read what the service knows of customers and subscriptions."""
        columns = "stripe_subscription_id, stripe_customer_id, stripe_price_id, status, current_period_end"
        return [
            sorted(self.shop.client.rows("customers", "stripe_customer_id, tenant_id")),
            sorted(self.shop.client.rows("subscriptions", f"{columns}, cancel_at_period_end")),
        ]


@pytest.mark.timeout(600)
def test_database_agrees_with_stripe_in_the_end(database, settings):
    """Whatever came in whatever order, twice or late, and whatever failed: each thing was done once, and all agree."""
    made = []

    def machine():
        made.append(database.fresh())
        return Billing(made[-1], settings)

    options = bounds(
        max_examples=examples(20),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    try:
        run_state_machine_as_test(machine, settings=options)
    finally:
        for addresses in made:
            database.drop(addresses)
