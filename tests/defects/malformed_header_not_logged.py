"""A header that cannot be read is refused before the line that logs refusals."""

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: (
        build_problem(401) if cause is Cause.MALFORMED_HEADER else reject(request, cause)
    )
