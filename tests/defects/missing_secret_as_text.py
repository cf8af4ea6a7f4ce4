"""A secret that is not set is formatted to the text `None`, with which everybody can sign."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets(str(None))
