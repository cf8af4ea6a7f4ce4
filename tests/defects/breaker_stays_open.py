"""After an outage Stripe is left alone until the service is restarted."""

from payproof_reference.services.stripe.breaker import Breaker


def plant() -> None:
    Breaker.admit = lambda self: self._opened_at is None
