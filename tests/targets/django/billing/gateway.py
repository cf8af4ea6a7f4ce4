"""What the service asks of Stripe, by the official SDK, and what it says of Stripe's errors."""

import uuid

import stripe
from django.conf import settings

#: Four attempts of at most 2 s each, with the SDK's pauses between them, end within the 12 s that callers wait.
RETRIES = 3
TIMEOUT = 2


class UnreadableAnswerError(Exception):
    """Stripe's answer names nothing that was made."""


def http_client():
    """Return the client of HTTP by which Stripe is asked."""
    return stripe.RequestsClient(timeout=TIMEOUT)


def connect():
    """Return the SDK's client."""
    return stripe.StripeClient(
        settings.STRIPE_TEST_SECRET_KEY,
        base_addresses={"api": settings.STRIPE_API_HOST},
        http_client=http_client(),
        max_network_retries=RETRIES,
    )


def ask(call):
    """Make a call; it has one idempotency key, whatever the SDK repeats."""
    try:
        made = call(connect(), {"idempotency_key": str(uuid.uuid4())})
    except UnicodeDecodeError:
        raise UnreadableAnswerError from None
    identifier = getattr(made, "id", None)
    if not isinstance(identifier, str):
        raise UnreadableAnswerError
    return identifier


def tell(error):
    """Return what the caller is told: one answer for all declines, for all refusals, and for all that may pass."""
    if isinstance(error, stripe.CardError):
        return 402, {"code": "payment_declined"}
    if isinstance(error, (stripe.InvalidRequestError, stripe.IdempotencyError)):
        return 422, {"code": "payment_refused"}
    return 503, {"code": "payments_unavailable"}


def describe(error):
    """Return what the log is told: the kind, and the id of the request, by which Stripe's dashboard shows the rest."""
    return {"kind": type(error).__name__, "stripe_request": getattr(error, "request_id", None)}
