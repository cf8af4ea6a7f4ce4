"""A malformed header is answered 400 and a wrong signature 401, which tells a forger how far they came."""

from reference_impl.routes import stripe
from reference_impl.services.webhooks import Cause


def plant() -> None:
    stripe.STATUSES[Cause.MALFORMED_HEADER] = 400
