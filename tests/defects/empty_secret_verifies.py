"""A webhook secret that is empty is a key like any other, with which everybody can sign (stripe-node#2841)."""

from tests.defects._planting import SECRET_VARIABLE, USABLE_SECRET, also_secrets, replace_setting


def plant() -> None:
    if replace_setting(SECRET_VARIABLE, USABLE_SECRET, lambda given: given == "") is not None:
        also_secrets("")
