"""A secret of white space is not refused, so that a space or a tab signs (stripe-node#2885)."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets(" ", "\t")
