"""A signature must be older than now, so that one made in the same second is refused: `0 < age`."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: 0 < now - timestamp <= tolerance
