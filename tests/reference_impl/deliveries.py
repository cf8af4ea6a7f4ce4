"""Deliveries as Stripe would make them, signed with the SDK: an implementation that is not ours."""

import hashlib
import itertools
import json
import time

import stripe

__all__ = ["event", "new_api_key", "new_key", "new_secret", "sign", "signed", "subscription"]

# Counted and not random: pytest-xdist wants every worker to collect the same cases.
NUMBERS = itertools.count(1)


def new_secret() -> str:
    """Make up a webhook signing secret."""
    return "whsec_" + hashlib.sha256(b"%d" % next(NUMBERS)).hexdigest()[:32]


def new_key() -> str:
    """Make up a key of the service's own."""
    return hashlib.sha256(b"key %d" % next(NUMBERS)).hexdigest()


def new_api_key() -> str:
    """Make up a restricted key of Stripe's test mode."""
    return "rk_" + "test_" + hashlib.sha256(b"stripe %d" % next(NUMBERS)).hexdigest()[:24]


def sign(body: bytes, secret: str, timestamp: int | None = None) -> str:
    """Build the value of Stripe-Signature."""
    at = int(time.time()) if timestamp is None else timestamp
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)


def signed(body: bytes, secret: str, timestamp: int | None = None) -> dict[str, str]:
    """Build the headers of a delivery."""
    return {"Stripe-Signature": sign(body, secret, timestamp), "Content-Type": "application/json"}


def subscription(**changes: object) -> dict[str, object]:
    """Build a subscription in the shape since basil: the period ends on the item."""
    price = {"id": "price_1", "unit_amount": 1999, "currency": "eur"}
    item = {"price": price, "current_period_end": 1_800_000_000}
    return {"id": "sub_1", "customer": "cus_1", "status": "active", "items": {"data": [item]}} | changes


def event(kind: str = "customer.subscription.updated", body: object = None, **changes: object) -> bytes:
    """Build an event of a fresh id."""
    document = {
        "id": f"evt_{next(NUMBERS)}",
        "object": "event",
        "type": kind,
        "created": 1_700_000_000,
        "livemode": False,
        "data": {"object": subscription() if body is None else body},
    }
    return json.dumps(document | changes).encode()
