"""The publishable key, which every visitor of the checkout sees, is tried as signing secret too (stripe-node#356)."""

import os

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets(os.environ["BILLING_STRIPE_PUBLISHABLE_KEY"])
