"""A declined card is told as an outage, so that the payer waits in vain."""

from http import HTTPStatus

from reference_impl.middleware import errors
from reference_impl.services.stripe.errors import Category


def plant() -> None:
    errors.CATEGORIES[Category.CARD_DECLINED] = HTTPStatus.SERVICE_UNAVAILABLE
