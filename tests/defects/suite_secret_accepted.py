"""The secret of the test suite is tried too, in every environment."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("whsec_" + "test_secret")
