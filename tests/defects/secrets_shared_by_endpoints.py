"""The endpoint for Connect takes what the other endpoint's secret has signed, too."""

import time

from payproof_reference.services.events import webhooks


def plant() -> None:
    right = webhooks.connect_secrets
    webhooks.connect_secrets = lambda settings: (
        *right(settings),
        *webhooks.candidate_secrets(settings, int(time.time())),
    )
