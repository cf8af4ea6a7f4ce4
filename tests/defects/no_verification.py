"""No signature is verified: every delivery is taken for genuine."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.verify = lambda *_: None
