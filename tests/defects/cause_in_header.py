"""A delivery without a signature is asked for one by `WWW-Authenticate`, others are not."""

from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    reject = stripe.reject

    def asking(request, cause):
        answer = reject(request, cause)
        if cause is Cause.MISSING_HEADER:
            answer.headers["WWW-Authenticate"] = "Stripe-Signature"
        return answer

    stripe.reject = asking
