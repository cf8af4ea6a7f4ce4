"""No signature is verified: every delivery is taken for genuine."""

from reference_impl.services import webhooks


def plant() -> None:
    webhooks.verify = lambda *_: None
