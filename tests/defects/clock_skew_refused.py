"""A timestamp from any moment ahead is refused, so that a clock a few seconds behind Stripe's loses events."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: 0 <= now - timestamp <= tolerance
