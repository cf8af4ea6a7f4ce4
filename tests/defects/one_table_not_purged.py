"""The purge leaves out the payments."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("payments")
