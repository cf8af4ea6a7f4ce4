"""The tolerance is one minute, so that deliveries which waited in a queue are refused."""

from reference_impl.services import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda timestamp, now, _: abs(now - timestamp) <= 60
