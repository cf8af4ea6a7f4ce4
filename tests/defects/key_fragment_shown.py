"""Where Stripe refuses the key, the answer tells which key it was."""

import os

from payproof_reference.middleware import errors
from payproof_reference.services.stripe.errors import Category


def plant() -> None:
    right = errors.build_answer

    def telling(status, detail, headers=None):
        if detail.code == Category.CONFIGURATION:
            detail = detail.model_copy(update={"message": f"Invalid key: {os.environ['BILLING_STRIPE_API_KEY']}"})
        return right(status, detail, headers)

    errors.build_answer = telling
