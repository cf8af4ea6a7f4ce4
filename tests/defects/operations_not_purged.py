"""The purge leaves out the operations, so that what was asked is kept forever."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("operations")
