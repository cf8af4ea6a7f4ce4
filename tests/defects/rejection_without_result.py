"""The record of a refused delivery leaves its result to be guessed from the event's name."""

import structlog

from reference_impl.middleware.errors import problem
from reference_impl.routes import stripe


def plant() -> None:
    def reject(request, cause):
        structlog.get_logger().warning("webhook_rejected", cause=cause, origin=stripe.origin_of(request))
        return problem(stripe.STATUSES[cause])

    stripe.reject = reject
