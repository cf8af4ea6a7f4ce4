"""A declined card is told as an outage, so that the payer waits in vain."""

from http import HTTPStatus

from payproof_reference.middleware import errors
from payproof_reference.services.stripe.errors import Category


def plant() -> None:
    errors.CATEGORIES[Category.CARD_DECLINED] = HTTPStatus.SERVICE_UNAVAILABLE
