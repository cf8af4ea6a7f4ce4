"""The event is applied while its signature is still judged: the forger reads 401, and has what they came for."""

from contextlib import suppress

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import RejectedError
from tests.defects._planting import record


def plant() -> None:
    read_body = stripe.read_body

    async def applied(request, limit):
        body = await read_body(request, limit)
        with suppress(RejectedError):
            record(request, webhooks.parse(body))
        return body

    stripe.read_body = applied
