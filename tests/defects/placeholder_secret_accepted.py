"""The placeholder of the documentation is the default of the setting, so that everybody can sign."""

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets("whsec_" + "...")
