"""A body that is larger than the limit is an error that nobody handles."""

from payproof_reference.middleware import bodies
from payproof_reference.routes import stripe


def plant() -> None:
    async def read_body(request, limit):
        return await bodies.read_body(request, limit)

    stripe.read_body = read_body
