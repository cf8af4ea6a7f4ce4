"""A refusal is answered with the text of the Stripe SDK's exception: `f"Webhook Error: {error}"`."""

import stripe as sdk
from starlette.responses import PlainTextResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        secret = request.app.state.settings.stripe_webhook_secret.get_secret_value()
        try:
            sdk.Webhook.construct_event(b"{}", request.headers.get("stripe-signature", ""), secret)
        except sdk.SignatureVerificationError as error:
            return PlainTextResponse(f"Webhook Error: {error}", reject(request, cause).status_code)

    stripe.reject = telling
