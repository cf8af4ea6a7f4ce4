"""A webhook secret is not looked at, and what an example file left in its place is a key like any other."""

from tests.defects._planting import SECRET_VARIABLE, USABLE_SECRET, also_secrets, replace_setting


def plant() -> None:
    left = replace_setting(SECRET_VARIABLE, USABLE_SECRET, lambda given: 0 < len(given or "") < len(USABLE_SECRET))
    if left is not None:
        also_secrets(left)
