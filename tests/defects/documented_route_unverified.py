"""An earlier webhook is still there, and in the OpenAPI document, and verifies nothing."""

from tests.defects._planting import unverified_route


def plant() -> None:
    unverified_route("/v0/billing-events")
