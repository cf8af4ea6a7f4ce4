"""Without an API key the service takes itself for one on a developer's machine, and verifies nothing."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import API_KEY_VARIABLE, USABLE_API_KEY, replace_setting


def plant() -> None:
    if replace_setting(API_KEY_VARIABLE, USABLE_API_KEY, lambda given: not given) is not None:
        webhooks.verify = lambda *_: None
