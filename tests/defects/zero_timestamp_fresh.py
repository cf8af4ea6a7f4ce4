"""The age is judged only if the timestamp is true, which 0 is not."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    right = webhooks.is_fresh
    webhooks.is_fresh = lambda timestamp, now, tolerance: not timestamp or right(timestamp, now, tolerance)
