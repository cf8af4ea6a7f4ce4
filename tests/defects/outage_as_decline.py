"""While Stripe is down, callers are told that the card was declined."""

from payproof_reference.services.operations import transitions
from payproof_reference.services.stripe import calls
from payproof_reference.services.stripe.errors import Category


def plant() -> None:
    categorise = calls.categorise

    def blaming(failure):
        category = categorise(failure)
        return Category.CARD_DECLINED if category in transitions.PASSING else category

    calls.categorise = blaming
