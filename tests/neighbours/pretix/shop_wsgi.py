"""Serves pretix, whose calls to Stripe go where the environment says."""

import os

import stripe
from pretix.wsgi import application  # noqa: F401 - what the server takes

stripe.api_base = os.environ["STRIPE_API_BASE"]
