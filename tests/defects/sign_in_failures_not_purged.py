"""The purge leaves out the failed sign-ins, with the addresses that they came from."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("sign_in_failures")
