"""The purge leaves out the credentials, so that those who left stay known forever."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("credentials")
