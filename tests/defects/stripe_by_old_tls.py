"""Stripe is called by TLS 1.0 or 1.1 where nothing newer is offered."""

import ssl
import warnings

from payproof_reference.services.stripe import sdk


def plant() -> None:
    right = sdk.build_context

    def lenient(ca_file):
        context = right(ca_file)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        return context

    sdk.build_context = lenient
