"""Every event template against Stripe's own OpenAPI, which stripe-mock embeds: no field invented, none missing."""

from random import Random
from typing import Any

import pytest

from payproof.canary import make_canaries
from payproof.stripe.events import Event, EventFactory
from tests.components import need
from tests.openapi import FIXTURES, STRIPE_MOCK, faults, openapi

NOW = 1_900_000_000

# Stripe adds values without a new API version; this specification is older than the pause of subscriptions.
ADDED_LATER = {("2022-11-15", "customer.subscription.paused"): {"status": "active"}}

FACTORY = EventFactory(FIXTURES / "events", seed=1)
EVENTS = [(version, event_type) for version in FACTORY.versions() for event_type in FACTORY.types(version)]


def make(api_version: str, event_type: str, **options: Any) -> Event:
    """Return an event that depends on its type and version alone."""
    canaries = make_canaries(Random(1))
    return FACTORY.make(event_type, api_version=api_version, now=NOW, canaries=canaries, key="schema", **options)


def merged(now: Any, before: Any) -> Any:
    """Return the object as it was before, whose changed attributes alone are given."""
    if isinstance(now, dict) and isinstance(before, dict):
        return now | {key: merged(now.get(key), value) for key, value in before.items()}
    return before


@pytest.fixture(autouse=True)
def _specification(api_version: str) -> None:
    need(f"stripe-mock {STRIPE_MOCK[api_version]} through Go", bool(openapi(api_version)))


@pytest.mark.parametrize("api_version", STRIPE_MOCK)
def test_version(api_version):
    """The folder of a version is named as the specification that its templates are checked against."""
    assert openapi(api_version)["info"]["version"] == api_version
    assert api_version in FACTORY.versions()


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_object(api_version, event_type):
    """Each object has the fields, types and values that Stripe's OpenAPI gives it, and no others."""
    event = make(api_version, event_type, set=ADDED_LATER.get((api_version, event_type), {}))
    subject = event.content["data"]["object"]
    assert faults(api_version, subject["object"], subject) == []


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_envelope(api_version, event_type):
    """Each event has the fields and types that Stripe's OpenAPI gives an event, and no others."""
    assert faults(api_version, "event", make(api_version, event_type).content) == []


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_previous_attributes(api_version, event_type):
    """What an update changed was a valid object before the update too."""
    content = make(api_version, event_type, set=ADDED_LATER.get((api_version, event_type), {})).content
    before = merged(content["data"]["object"], content["data"].get("previous_attributes", {}))
    assert faults(api_version, before["object"], before) == []


@pytest.mark.parametrize(
    ("api_version", "added"), [(version, added) for version in STRIPE_MOCK for added in ("invented", "status")]
)
def test_control(api_version, added):
    """The check itself refuses an invented field and a value that is not in the list."""
    subject = make(api_version, "invoice.paid").content["data"]["object"] | {added: "no such value"}
    assert len(faults(api_version, "invoice", subject)) == 1
