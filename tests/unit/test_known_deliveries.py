"""Which deliveries Stripe knows of: those that it has signed itself, whatever became of the header since."""

import asyncio
from random import Random
from types import SimpleNamespace

import pytest

from payproof.canary import Ledger, make_canaries
from payproof.domain.observation import Answer, Exchange, Sent
from payproof.domain.operation import UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Webhook
from payproof.session import event_factory
from payproof.session.upstream import open_upstream
from payproof.steps.deliver import Deliver
from payproof.stripe.forgeries import FORGERIES
from tests.double import API_KEY, NEWEST
from tests.unit.test_delivered import make

NOW = 1_900_000_000
SECRET, PREVIOUS, RETIRED = (f"whsec_{name * 4}" for name in ("current", "previous", "retired"))
#: The scenarios, or their cases, whose deliveries Stripe has signed.
SIGNED = (
    *("valid", "rotation", "retired_secret", "within_tolerance", "expired", "future", "two_headers", "huge_header"),
    *("two_timestamps", "malformed_timestamp"),
)


class FakeContext:
    """A phase that sends nothing."""

    def __init__(self):
        hook = Webhook("/hook", Secret("s", SECRET), NEWEST)
        hook = SimpleNamespace(
            path=hook.path,
            secret=hook.secret,
            previous_secret=Secret("p", PREVIOUS),
            retired_secret=Secret("r", RETIRED),
        )
        self.target = SimpleNamespace(
            webhook=hook, api_key=Secret("k", API_KEY), publishable_key="pk_" + "test_1", contract=Contract()
        )
        self.random, self.known, self.made = Random(1), [], []
        self.clock = self.canaries = self.stripe = self.events = self

    def make(self, type_, *, values, ids):
        event = event_factory(1).make(
            type_, api_version=NEWEST, now=NOW, canaries=make_canaries(Random(1)), key="k", set=values, ids=ids
        )
        self.made.append(event)
        return event

    def make_control(self, *, values, ids, age=0, of_stranger=False):
        return self.make("customer.subscription.updated", values=values, ids=ids)

    def now(self):
        return NOW

    def conceal(self, kind, label, value):
        pass

    def know(self, event):
        self.known.append(event)

    async def wait_for_early_second(self):
        pass

    async def send(self, request):
        return Exchange(0, Sent("POST", "https://t.example/hook", "", 0, ""), Answer(401, (), "", 0, 0.01))


@pytest.mark.parametrize("name", FORGERIES)
def test_stripe_knows_what_it_has_signed(name):
    """An event that Stripe signed exists at Stripe, also where it comes too late; one that was forged does not."""
    context = FakeContext()
    asyncio.run(Deliver(signature=name).run(context))
    assert context.known == (context.made if name.startswith(SIGNED) else [])


@pytest.mark.parametrize("backend", ["double", "http://127.0.0.1:9"])
def test_no_other_backend_is_told(backend):
    """The double takes a delivery in; whatever else answers for Stripe is left alone."""
    spec = UpstreamSpec("http://127.0.0.1:0", backend=backend)
    with open_upstream(spec, ledger=Ledger(), api_version=NEWEST, seed=1) as upstream:
        upstream.take_in(make("customer.created"))
        assert upstream.count_calls() == 0
