"""The answer to a wrong signature shows the right one, with which the sender can forge the next delivery."""

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe
from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    read_body, reject = stripe.read_body, stripe.reject

    async def kept(request, limit):
        request.state.body = await read_body(request, limit)
        return request.state.body

    def shown(request, cause):
        answer = reject(request, cause)
        if cause is not Cause.NO_MATCHING_SIGNATURE:
            return answer
        header = webhooks.parse_header(request.headers.getlist("stripe-signature"))
        secret = request.app.state.settings.stripe_webhook_secret.get_secret_value()
        right = webhooks.signature_of(header.timestamp, request.state.body, secret)
        return JSONResponse({"error": f"expected {right}"}, answer.status_code)

    stripe.read_body, stripe.reject = kept, shown
