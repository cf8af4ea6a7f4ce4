"""A header that cannot be read is refused before the line that logs refusals."""

from reference_impl.middleware.errors import problem
from reference_impl.routes import stripe
from reference_impl.services.webhooks import Cause


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: problem(401) if cause is Cause.MALFORMED_HEADER else reject(request, cause)
