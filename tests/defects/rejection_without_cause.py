"""The record of a refused delivery does not say why."""

import structlog

from reference_impl.middleware.errors import problem
from reference_impl.routes import stripe


def plant() -> None:
    def reject(request, cause):
        structlog.get_logger().warning("webhook_rejected", result="rejected", origin=stripe.origin_of(request))
        return problem(stripe.STATUSES[cause])

    stripe.reject = reject
