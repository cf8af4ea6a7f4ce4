"""A rolled secret counts for ever: nobody looks at the end of its window."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    right = webhooks.candidate_secrets
    webhooks.candidate_secrets = lambda settings, _: right(settings, 0)
