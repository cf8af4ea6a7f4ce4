from importlib import import_module

import stripe
from django.apps import AppConfig
from django.conf import settings

from billing import gateway


class BillingConfig(AppConfig):
    """The operations, and what dj-stripe's signals lead to."""

    name = "billing"

    def ready(self):
        """Connect the receivers, after dj-stripe's own, and say how dj-stripe is to call Stripe."""
        if settings.STRIPE_CA_BUNDLE:
            stripe.ca_bundle_path = settings.STRIPE_CA_BUNDLE
        # Stripe delivers again what fails: a delivery need not wait for long.
        stripe.default_http_client = gateway.http_client()
        stripe.max_network_retries = 1
        import_module("billing.receivers")
