"""A request that Stripe refuses ends in an unhandled exception and a 500."""

from payproof_reference.services.stripe.calls import Caller


def plant() -> None:
    refuse = Caller._refuse

    def crashing(self, operation, attempts, failure):
        if failure.status in {400, 404}:
            raise KeyError(failure.code)
        refuse(self, operation, attempts, failure)

    Caller._refuse = crashing
