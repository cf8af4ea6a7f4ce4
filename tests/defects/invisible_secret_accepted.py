"""A secret that is only a no-break or zero-width space, left by copying from a page, is not refused."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("\u00a0", "\u200b")
