"""The record of a refused delivery has a sentence in place of a category, which no alert can count."""

import structlog

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe

TEXT = "No signatures found matching the expected signature for payload. Are you passing the raw request body? ({})"


def plant() -> None:
    def reject(request, cause):
        structlog.get_logger().warning(
            "webhook_rejected", result="rejected", cause=TEXT.format(cause), origin=stripe.origin_of(request)
        )
        return build_problem(stripe.STATUSES[cause])

    stripe.reject = reject
