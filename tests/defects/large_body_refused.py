"""A body of more than 64 KiB is refused, though Stripe sends larger ones."""

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body
    stripe.read_body = lambda request, _: read_body(request, 64 * 1024)
