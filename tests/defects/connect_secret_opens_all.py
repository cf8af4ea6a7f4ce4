"""The webhook takes what the secret of the endpoint for Connect has signed, too."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    right = webhooks.candidate_secrets
    webhooks.candidate_secrets = lambda settings, now: (*right(settings, now), *webhooks.connect_secrets(settings))
