"""Redirects of Stripe's answers are followed to whatever host they name, with the API key."""

import httpx

from payproof_reference.services.stripe import sdk


def plant() -> None:
    def following(ca_file, *, connections):
        return httpx.Client(verify=sdk.build_context(ca_file), follow_redirects=True, trust_env=False)

    sdk.build_http_client = following
