"""However long Stripe has been failing, each operation tries it again."""

from payproof_reference.services.stripe.breaker import Breaker


def plant() -> None:
    Breaker.admit = lambda _self: True
