"""The event is applied while its signature is still judged: the forger reads 401, and has what they came for."""

from contextlib import suppress

from reference_impl.routes import stripe
from reference_impl.services import billing, webhooks
from reference_impl.services.webhooks import RejectedError


def plant() -> None:
    read_body = stripe.read_body

    async def applied(request, limit):
        body = await read_body(request, limit)
        with suppress(RejectedError):
            event = webhooks.parse(body)
            billing.record(request.app.state.engine, event, livemode=False, received_at=event.created)
        return body

    stripe.read_body = applied
