"""A repeated event is answered 409, so that Stripe goes on repeating it and at last disables the endpoint."""

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe
from payproof_reference.services.events.delivery import EventOutcome


def plant() -> None:
    accept = stripe.accept

    def refusing(request, event, receipt):
        answer = accept(request, event, receipt)
        return build_problem(409) if receipt.outcome is EventOutcome.DUPLICATE else answer

    stripe.accept = refusing
