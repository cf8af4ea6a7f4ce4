"""The tolerance is one minute, so that deliveries which waited in a queue are refused."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, _: abs(now - timestamp) <= 60
