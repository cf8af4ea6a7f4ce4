"""Where the webhook secret is not set, the service starts all the same, and verifies nothing."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import SECRET_VARIABLE, USABLE_SECRET, replace_setting


def plant() -> None:
    if replace_setting(SECRET_VARIABLE, USABLE_SECRET, lambda given: given is None) is not None:
        webhooks.verify = lambda *_: None
