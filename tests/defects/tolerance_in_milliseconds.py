"""A tolerance in milliseconds is compared with an age in seconds: three and a half days instead of five minutes."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: abs(now - timestamp) <= 1000 * tolerance
