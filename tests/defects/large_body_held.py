"""A body is read to its end before anybody looks how long it is."""

from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause, RejectedError


def plant() -> None:
    async def read_body(request, limit):
        body = await request.body()
        if len(body) > limit:
            raise RejectedError(Cause.BODY_TOO_LARGE)
        return body

    stripe.read_body = read_body
