"""The compose file's `changeme` is tried when the right secret does not match."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("change" + "me")
