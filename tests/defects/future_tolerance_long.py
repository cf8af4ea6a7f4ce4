"""An hour of clock difference is allowed into the future, which is an hour more to replay a delivery."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: -3600 <= now - timestamp <= tolerance
