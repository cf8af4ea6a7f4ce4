"""Only timestamps of the past are judged for age, so that one of the future stays fresh until then and after."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, tolerance: now - timestamp <= tolerance
