"""What Stripe says when a card is declined."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.cards import Card
from payproof.stripe.double.errors import ApiError

__all__ = ["decline_message", "make_decline"]

_MESSAGES: Mapping[str, str] = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def decline_message(card: Card) -> str:
    """Return what Stripe says of a decline."""
    return _MESSAGES.get(card.decline_code or "") or _MESSAGES.get(card.code or "") or "Your card was declined."


def make_decline(card: Card, method: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> ApiError:
    """Return the error in which a payment by a declined card ends."""
    told: dict[str, Any] = {"payment_method": dict(method)}
    if card.decline_code is not None:
        told["decline_code"] = card.decline_code
    return ApiError(402, "card_error", decline_message(card), code=card.code, more=told | dict(more or {}))
