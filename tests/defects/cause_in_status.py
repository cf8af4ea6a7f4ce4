"""A malformed header is answered 400 and a wrong signature 401, which tells a forger how far they came."""

from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    stripe.STATUSES[Cause.MALFORMED_HEADER] = 400
