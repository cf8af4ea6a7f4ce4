"""The age is taken from `timedelta.seconds`, which leaves out whole days: signatures of the past come back to life."""

from datetime import UTC, datetime

from payproof_reference.services.events import webhooks


def plant() -> None:
    def is_fresh(timestamp, now, tolerance):
        age = datetime.fromtimestamp(now, UTC) - datetime.fromtimestamp(timestamp, UTC)
        return timestamp <= now + tolerance and (age.seconds <= tolerance or abs(age.total_seconds()) <= tolerance)

    webhooks.is_fresh = is_fresh
