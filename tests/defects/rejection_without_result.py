"""The record of a refused delivery leaves its result to be guessed from the event's name."""

import structlog

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe


def plant() -> None:
    def reject(request, cause):
        structlog.get_logger().warning("webhook_rejected", cause=cause, origin=stripe.origin_of(request))
        return build_problem(stripe.STATUSES[cause])

    stripe.reject = reject
