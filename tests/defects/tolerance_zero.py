"""The tolerance is zero, so that only deliveries signed in this very second are accepted."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, _: timestamp == now
