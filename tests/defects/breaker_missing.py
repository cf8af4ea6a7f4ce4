"""However long Stripe has been failing, each operation tries it again."""

from reference_impl.services.stripe.breaker import Breaker


def plant() -> None:
    Breaker.admit = lambda _self: True
