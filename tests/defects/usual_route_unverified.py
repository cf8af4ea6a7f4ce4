"""A second webhook, at the address that guides show, is in no document, and verifies nothing."""

from tests.defects._planting import unverified_route


def plant() -> None:
    unverified_route("/api/stripe/webhook", documented=False)
