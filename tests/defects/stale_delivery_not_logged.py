"""A delivery outside the tolerance is refused without a record, though somebody holds old signed bodies."""

from reference_impl.middleware.errors import problem
from reference_impl.routes import stripe
from reference_impl.services.webhooks import Cause


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: (
        problem(401) if cause is Cause.TIMESTAMP_OUTSIDE_TOLERANCE else reject(request, cause)
    )
