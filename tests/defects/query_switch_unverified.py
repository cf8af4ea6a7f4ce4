"""A switch in the query, for those who try out the webhook, turns verification off."""

from contextvars import ContextVar

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks


def plant() -> None:
    read_body, verify = stripe.read_body, webhooks.verify
    switched: ContextVar[bool] = ContextVar("switched", default=False)

    async def noted(request, limit):
        switched.set(request.query_params.get("skip_verification") == "1")
        return await read_body(request, limit)

    stripe.read_body = noted
    webhooks.verify = lambda *given: None if switched.get() else verify(*given)
