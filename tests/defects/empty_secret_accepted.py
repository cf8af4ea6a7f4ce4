"""A comma at the end of the list of secrets makes an empty one, with which everybody can sign (GHSA-xff3-5c9p-2mr4)."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("")
