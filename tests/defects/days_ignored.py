"""The age is taken from `timedelta.seconds`, which leaves whole days out."""

from datetime import UTC, datetime

from payproof_reference.services.events import webhooks


def plant() -> None:
    def is_fresh(timestamp, now, tolerance):
        age = datetime.fromtimestamp(now, UTC) - datetime.fromtimestamp(timestamp, UTC)
        return age.seconds <= tolerance

    webhooks.is_fresh = is_fresh
