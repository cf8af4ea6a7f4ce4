"""Whose card was declined is told Stripe's decline code."""

from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.errors import BillingError


def plant() -> None:
    refuse = Caller._refuse

    def telling(self, operation, attempts, failure):
        try:
            refuse(self, operation, attempts, failure)
        except BillingError as error:
            if failure.decline_code:
                error.message = f"The payment was declined: {failure.decline_code}."
            raise

    Caller._refuse = telling
