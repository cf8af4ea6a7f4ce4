"""A delivery outside the tolerance is refused without a record, though somebody holds old signed bodies."""

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe
from payproof_reference.services.events.webhooks import Cause


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: (
        build_problem(401) if cause is Cause.TIMESTAMP_OUTSIDE_TOLERANCE else reject(request, cause)
    )
