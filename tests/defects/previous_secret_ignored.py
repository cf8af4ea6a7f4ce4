"""The secret that is being rolled stops to count at once, inside its window."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    right = webhooks.candidate_secrets
    webhooks.candidate_secrets = lambda settings, now: right(settings, now)[:1]
