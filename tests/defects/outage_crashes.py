"""An outage of Stripe's ends in an unhandled exception and a 500."""

from payproof_reference.services.stripe.calls import Caller


def plant() -> None:
    refuse = Caller._refuse

    def crashing(self, operation, attempts, failure):
        if failure.status is None or failure.status >= 500:
            raise ConnectionError
        refuse(self, operation, attempts, failure)

    Caller._refuse = crashing
