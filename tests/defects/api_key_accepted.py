"""The API key is tried as signing secret too, because one setting serves for both (elizaOS#10127)."""

import os

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets(os.environ["BILLING_STRIPE_API_KEY"])
