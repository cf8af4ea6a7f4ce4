"""The record of a refused delivery does not say where it came from: the address is looked for behind a proxy."""

from payproof_reference.routes import stripe


def plant() -> None:
    stripe.origin_of = lambda request: request.headers.get("x-forwarded-for", "")
