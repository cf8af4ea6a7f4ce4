"""What comes to the webhook's place by PUT is taken without a look at the signature."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks
from tests.defects._planting import HOOK, record


def plant() -> None:
    @stripe.router.put(HOOK, include_in_schema=False)
    async def take(request: Request):
        event = webhooks.parse(await request.body())
        return stripe.accept(request, event, await run_in_threadpool(record, request, event))
