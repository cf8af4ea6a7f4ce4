"""Signatures are verified only where there is a webhook secret that is not blank."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import SECRET_VARIABLE, USABLE_SECRET, replace_setting


def plant() -> None:
    if replace_setting(SECRET_VARIABLE, USABLE_SECRET, lambda given: not (given or "").strip()) is not None:
        webhooks.verify = lambda *_: None
