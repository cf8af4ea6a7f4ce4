"""Calls are repeated without any Idempotency-Key."""

from payproof_reference.services.stripe.sdk import Transport


def plant() -> None:
    request = Transport.request

    def bare(self, method, url, headers, post_data=None, **rest):
        kept = {name: value for name, value in headers.items() if name.lower() != "idempotency-key"}
        return request(self, method, url, kept, post_data, **rest)

    Transport.request = bare
