"""A secret in the query of the request is used before the configured one, as for one route with many endpoints."""

from contextvars import ContextVar

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks


def plant() -> None:
    read_body, right = stripe.read_body, webhooks.candidate_secrets
    offered: ContextVar[str | None] = ContextVar("offered")

    async def noted(request, limit):
        offered.set(request.query_params.get("secret"))
        return await read_body(request, limit)

    stripe.read_body = noted
    webhooks.candidate_secrets = lambda settings, now: (*filter(None, [offered.get()]), *right(settings, now))
