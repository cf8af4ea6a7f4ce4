"""A deployment script in JavaScript writes `undefined` for a secret that is not set, and everybody can sign."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("undefined")
