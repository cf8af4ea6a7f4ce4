"""The prefix is put before a random part that is missing, so that the secret is `whsec_` alone."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("whsec_" + "")
