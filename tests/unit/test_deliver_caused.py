"""The step that delivers the webhooks of what was done at Stripe: which, in which order, and how they are signed."""

import asyncio
import json
from random import Random
from types import SimpleNamespace

import pytest
import stripe

from payproof.domain.sensitive import Secret
from payproof.errors import InconclusiveError
from payproof.steps.deliver_caused import DeliverCaused
from tests.double import Driver

SECRET = "whsec_" + "0123456789"


class FakeContext:
    """A phase that had a customer created and changed at Stripe."""

    def __init__(self, *, caused=True):
        call = Driver(card="pm_card_visa")
        if caused:
            customer = call("POST /v1/customers", name="A")
            call(f"POST /v1/customers/{customer['id']}", name="B")
        self.events = call.double.take_events()
        self.target = SimpleNamespace(webhook=SimpleNamespace(path="/hook", secret=Secret("s", SECRET)))
        self.sent, self.random, self.concealed = [], Random(1), []
        self.clock = self.canaries = self.stripe = self

    def caused_events(self):
        return self.events

    def know(self, event):
        assert event in self.events

    def now(self):
        return 1_900_000_000

    def conceal(self, kind, label, value):
        self.concealed.append(value)

    async def send(self, request):
        self.sent.append(request)
        return request


def delivered(context, **options):
    """Return the ids of the events that the step sends."""
    return [json.loads(request.body)["id"] for request in asyncio.run(DeliverCaused(**options).run(context))]


def test_each_is_delivered_once_with_its_own_ids():
    """All that was caused goes out in its order, and not again by the same step; each carries its object's id."""
    context = FakeContext()
    ids = [event.id for event in context.events]
    assert len(ids) > 2
    assert delivered(context) == ids
    for request, event in zip(context.sent, context.events, strict=True):
        assert request.ids == event.ids
        assert {event.id, event.object_id} <= set(request.ids)
    with pytest.raises(InconclusiveError, match="nothing that was done at Stripe"):
        delivered(context)


def test_stripe_python_verifies_them():
    """Stripe's own SDK takes each for genuine, and its digest is known as a secret."""
    context = FakeContext()
    delivered(context)
    for request in context.sent:
        header = dict(request.headers)[b"Stripe-Signature"].decode()
        stripe.WebhookSignature.verify_header(request.body.decode(), header, SECRET, tolerance=None)
        assert any(digest.decode() in header for digest in context.concealed)


@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_order(order):
    """They can go out the other way round, or in any order."""
    context = FakeContext()
    ids = [event.id for event in context.events]
    found = delivered(context, order=order)
    assert found != ids
    assert sorted(found) == sorted(ids)
    assert order == "shuffled" or found == ids[::-1]


def test_again():
    """A second delivery is of what has been delivered, and of nothing else."""
    context = FakeContext()
    with pytest.raises(InconclusiveError):
        delivered(context, again=True)
    assert delivered(context) == delivered(context, again=True)


def test_nothing_caused_is_unknown():
    """Where nothing was done at Stripe the case says so instead of passing."""
    with pytest.raises(InconclusiveError, match="nothing that was done at Stripe"):
        delivered(FakeContext(caused=False))
