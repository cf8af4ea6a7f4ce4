"""One contract for the gateway to Stripe and its twin: stripe-mock holds both to Stripe's own OpenAPI document."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.port import StripeGateway
from payproof_reference.services.stripe.snapshots import CustomerSnapshot, SubscriptionSnapshot
from tests.components import need
from tests.reference_impl.stripe_twin import InMemoryStripe

# A key of the test's own kind: stripe-mock asks for the shape only.
API_KEY = "sk_" + "test_" + "contract"
IMAGE = os.environ.get("PAYPROOF_STRIPE_MOCK_IMAGE")
ANNOUNCEMENT = "Listening for HTTP at address: "
SMALL, LARGE = "price_small", "price_large"


@dataclass(frozen=True)
class World:
    """A gateway, and a payment intent that can be paid back there."""

    gateway: StripeGateway
    payment_intent_id: str

    def subscription(self) -> SubscriptionSnapshot:
        customer = self.gateway.create_customer(reference="tenant_1", idempotency_key="customer")
        return self.gateway.create_subscription(customer_id=customer.id, price_id=SMALL, idempotency_key="subscribe")


@pytest.fixture(scope="session")
def stripe_mock() -> Iterator[str]:
    """The address of a stripe-mock of this session: from an image where one is named, else from the binary."""
    binary = shutil.which(
        "stripe-mock", path=os.pathsep.join([os.environ.get("PATH", ""), str(Path.home() / "go/bin")])
    )
    need("stripe-mock", bool(IMAGE or binary))
    with ExitStack() as stack:
        if IMAGE:
            container = DockerContainer(IMAGE).with_exposed_ports(12111)
            stack.enter_context(container.waiting_for(LogMessageWaitStrategy("Listening for HTTP")))
            yield f"http://127.0.0.1:{container.get_exposed_port(12111)}"
            return
        # Port 0 for both, because it would also listen on 12112, where another run may be.
        command = [binary, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"]
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        )
        stack.callback(process.terminate)
        line = next(line for line in process.stdout if line.startswith(ANNOUNCEMENT))
        yield "http://" + line.removeprefix(ANNOUNCEMENT).strip()


@pytest.fixture(params=["twin", "stripe-mock"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The twin, and the gateway on stripe-mock."""
    if request.param == "twin":
        twin = InMemoryStripe({SMALL: 1000, LARGE: 5000})
        customer = twin.create_customer(reference="tenant_0", idempotency_key="earlier_customer")
        twin.create_subscription(customer_id=customer.id, price_id=SMALL, idempotency_key="earlier_subscribe")
        yield World(twin, next(iter(twin.paid)))
        return
    connection = Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=request.getfixturevalue("stripe_mock"))
    yield World(LiveStripe(connection), "pi_earlier")
    connection.close()


def test_customer_is_created(world):
    """A customer has an id, and the service learns nothing else of it."""
    customer = world.gateway.create_customer(reference="tenant_1", idempotency_key="k")
    assert list(customer.model_dump()) == ["id"]
    assert customer.id.startswith("cus_")


def test_subscription_is_created(world):
    """A subscription comes back with its customer, price, status and period."""
    subscription = world.subscription()
    assert subscription.id.startswith("sub_")
    assert subscription.customer.startswith("cus_")
    assert subscription.price_id.startswith("price_")
    assert isinstance(subscription.period_end, int)


def test_subscription_is_retrieved(world):
    """What a webhook fetches is of the type that a webhook delivers."""
    created = world.subscription()
    fetched = world.gateway.retrieve_subscription(created.id)
    assert isinstance(fetched, SubscriptionSnapshot)
    assert fetched.id == created.id
    assert isinstance(fetched.unit_amount, int)
    assert fetched.currency == "usd"


def test_plan_is_changed(world):
    """A change of plan leaves a subscription of one plan."""
    created = world.subscription()
    changed = world.gateway.change_plan(created.id, price_id=LARGE, idempotency_key="change")
    assert changed.id == created.id
    assert len(changed.items.data) == 1


@pytest.mark.parametrize("operation", ["cancel_at_period_end", "resume", "cancel_now"])
def test_subscription_is_ended_or_resumed(world, operation):
    """Each of the three takes a subscription and gives its new state."""
    created = world.subscription()
    changed = getattr(world.gateway, operation)(created.id, idempotency_key=operation)
    assert isinstance(changed, SubscriptionSnapshot)
    assert changed.id == created.id


@pytest.mark.parametrize("amount", [None, 100])
def test_refund_is_created(world, amount):
    """A refund of a part, or of all, has an id, an amount and a status."""
    refund = world.gateway.create_refund(
        payment_intent_id=world.payment_intent_id, amount=amount, idempotency_key="refund"
    )
    assert refund.id.startswith("re_")
    assert refund.amount > 0
    assert refund.status == "succeeded"


def test_pages_of_stripe_are_opened(world):
    """Checkout and portal have an address, which no representation shows."""
    customer_id = world.subscription().customer
    checkout = world.gateway.create_checkout_session(
        customer_id=customer_id,
        price_id=SMALL,
        success_url="https://shop.test/done",
        cancel_url="https://shop.test/back",
        idempotency_key="checkout",
    )
    portal = world.gateway.create_portal_session(
        customer_id=customer_id, return_url="https://shop.test/account", idempotency_key="portal"
    )
    for session in (checkout, portal):
        assert session.url.startswith("https://")
        assert session.url not in repr(session)


def test_invoices_are_listed_by_page(world):
    """A page holds no more than was asked for, and says whether there is more."""
    customer_id = world.subscription().customer
    page = world.gateway.list_invoices(customer_id=customer_id, limit=1)
    assert len(page.data) == 1
    assert page.has_more is False
    after = world.gateway.list_invoices(customer_id=customer_id, limit=1, starting_after=page.data[0].id)
    assert isinstance(after.has_more, bool)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "k\n", "schlüssel"])
def test_key_that_would_not_hold_is_refused(world, key):
    """Without a usable idempotency key there is no write."""
    with pytest.raises(ValueError, match="idempotency key"):
        world.gateway.create_customer(reference="tenant_1", idempotency_key=key)
    with pytest.raises(ValueError, match="idempotency key"):
        world.gateway.cancel_now("sub_1", idempotency_key=key)


@pytest.mark.parametrize("subscription_id", ["", ".", "..", "../customers/cus_1", "cus_1", "sub_1?x=1", "sub_1\n"])
def test_id_that_would_lead_elsewhere_is_refused(world, subscription_id):
    """An id is part of a path, and no other part of Stripe's API is reached by it."""
    with pytest.raises(ValueError, match="subscription"):
        world.gateway.retrieve_subscription(subscription_id)
    with pytest.raises(ValueError, match="subscription"):
        world.gateway.cancel_now(subscription_id, idempotency_key="k")


def test_stripe_mock_refuses_what_stripe_does_not_know(stripe_mock):
    """The positive control: a parameter that is not in Stripe's OpenAPI document is an invalid request."""
    connection = Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=stripe_mock)
    with pytest.raises(BillingError) as raised:
        connection.write(
            "control", CustomerSnapshot, "k", lambda client, opts: client.v1.customers.create({"odd": "1"}, opts)
        )
    assert raised.value.category is Category.INVALID_REQUEST
    connection.close()
