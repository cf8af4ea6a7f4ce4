"""The tolerance is ten minutes where Stripe's libraries allow five."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: abs(now - timestamp) <= 2 * tolerance
