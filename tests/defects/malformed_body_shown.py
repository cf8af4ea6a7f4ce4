"""What is wrong with a signed body is told with the body itself."""

from contextvars import ContextVar

from starlette.responses import PlainTextResponse

from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    read_body, reject = stripe.read_body, stripe.reject
    read: ContextVar[bytes] = ContextVar("read", default=b"")

    async def noted(request, limit):
        body = await read_body(request, limit)
        read.set(body)
        return body

    def telling(request, cause):
        answer = reject(request, cause)
        if cause is Cause.NOT_AN_EVENT:
            return PlainTextResponse(b"no event: " + read.get(), answer.status_code)
        return answer

    stripe.read_body, stripe.reject = noted, telling
