"""Whose card was reported as lost or stolen is told so."""

from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.errors import BillingError


def plant() -> None:
    refuse = Caller._refuse

    def telling(self, operation, attempts, failure):
        try:
            refuse(self, operation, attempts, failure)
        except BillingError as error:
            if failure.decline_code in {"lost_card", "stolen_card"}:
                error.message = "This card was reported. Please contact your bank."
            raise

    Caller._refuse = telling
