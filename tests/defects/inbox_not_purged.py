"""The purge leaves out the inbox, which grows with each event."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("inbox")
