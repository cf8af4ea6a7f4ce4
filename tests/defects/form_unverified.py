"""Forms come from the back office, and are taken without a look at the signature."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks
from tests.defects._planting import record


def plant() -> None:
    (route,) = (one for one in stripe.router.routes if one.path == stripe.paths.WEBHOOK)
    receive = route.endpoint

    async def take(request: Request):
        if request.headers.get("content-type") != "text/plain":
            return await receive(request)
        event = webhooks.parse(await request.body())
        return stripe.accept(request, event, await run_in_threadpool(record, request, event))

    route.endpoint = route.dependant.call = take
