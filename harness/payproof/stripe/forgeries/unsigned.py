"""Deliveries without any signature, some dressed as what targets let through unsigned."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver, document_of

__all__ = ["FORGERIES"]


def _no_header(material: Material) -> Delivery:
    return deliver(material)


def _empty_header(material: Material) -> Delivery:
    return deliver(material, "")


def _unsign(rewrite: Callable[[Material, dict[str, Any]], dict[str, Any]]) -> Callable[[Material], Delivery]:
    """Forge an unsigned delivery of a rewritten event, new to the target: a known id would be ignored as repeated."""

    def forge(material: Material) -> Delivery:
        event = document_of(material) | {"id": f"evt_{material.random.getrandbits(96):024x}"}
        return deliver(material, body=json.dumps(rewrite(material, event)).encode())

    return forge


def _test_prefix(material: Material, event: dict[str, Any]) -> dict[str, Any]:
    return event | {"id": f"evt_test_{material.random.getrandbits(96):024x}"}


def _zeros(_: Material, event: dict[str, Any]) -> dict[str, Any]:
    return event | {"id": "evt_" + "0" * 14}


def _livemode_false(_: Material, event: dict[str, Any]) -> dict[str, Any]:
    return event | {"livemode": False}


def _when(material: Material) -> str:
    return datetime.fromtimestamp(material.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event_bridge(material: Material, event: dict[str, Any]) -> dict[str, Any]:
    """Wrap as https://docs.stripe.com/event-destinations/eventbridge shows."""
    return {
        "version": "0",
        "id": str(UUID(int=material.random.getrandbits(128), version=4)),
        "detail-type": event.get("type", "ping"),
        "source": f"aws.partner/stripe.com/ed_{material.random.getrandbits(64):016x}",
        "account": "123456789012",
        "time": _when(material),
        "region": "us-east-1",
        "resources": [],
        "detail": event,
    }


def _event_grid(material: Material, event: dict[str, Any]) -> dict[str, Any]:
    """Wrap as https://docs.stripe.com/event-destinations/eventgrid shows."""
    return {
        "specversion": "1.0",
        "id": event["id"],
        "type": event.get("type", "ping"),
        "source": f"/stripe/ed_{material.random.getrandbits(64):016x}",
        "time": _when(material),
        "datacontenttype": "application/json",
        "data": event,
    }


FORGERIES = (
    Forgery("missing.no_header", "No Stripe-Signature field at all.", _no_header),
    Forgery("missing.empty_header", "A Stripe-Signature field without a value.", _empty_header),
    Forgery(
        "test_event_shortcut.test_prefix",
        "Unsigned, with an id that starts like that of a test event.",
        _unsign(_test_prefix),
    ),
    Forgery(
        "test_event_shortcut.zeros",
        "Unsigned, with the id of zeros that Stripe's test button once sent.",
        _unsign(_zeros),
    ),
    Forgery("test_event_shortcut.livemode_false", "Unsigned, and not in live mode.", _unsign(_livemode_false)),
    Forgery(
        "cloud_envelope.event_bridge",
        "Unsigned, in the envelope of Amazon EventBridge.",
        _unsign(_event_bridge),
    ),
    Forgery("cloud_envelope.event_grid", "Unsigned, in the envelope of Azure Event Grid.", _unsign(_event_grid)),
)
