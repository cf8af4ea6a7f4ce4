"""A second webhook, at the address that guides show, only looks whether there is a signature."""

from tests.defects._planting import unverified_route


def plant() -> None:
    unverified_route("/api/stripe/webhook", documented=False, needs="stripe-signature")
