"""A key of live mode is taken wherever the service runs."""

from tests.defects._planting import API_KEY_VARIABLE, USABLE_API_KEY, replace_setting


def plant() -> None:
    replace_setting(API_KEY_VARIABLE, USABLE_API_KEY, lambda given: "_live_" in (given or ""))
