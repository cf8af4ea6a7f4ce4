"""Whoever answers in Stripe's place is taken for Stripe: certificates are not verified."""

import ssl

from payproof_reference.services.stripe import sdk


def plant() -> None:
    right = sdk.build_context

    def trusting(ca_file):
        context = right(ca_file)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    sdk.build_context = trusting
