"""What callers may ask: the fields of each operation, and what may stand in them."""

import json
import re

from django.core.exceptions import BadRequest, RequestDataTooBig

_LIMIT = 16 * 1024
_CURRENCIES = {"usd", "eur"}
_MOST = 1_000_000


class InvalidFieldsError(Exception):
    """The request is JSON, but not what the operation takes."""


def read_fields(request):
    """Return the fields of a request's JSON object; an empty body has none."""
    if request.GET:
        raise InvalidFieldsError
    if len(request.body) > _LIMIT:
        raise RequestDataTooBig
    if not request.body:
        return {}
    if request.content_type != "application/json":
        raise BadRequest
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest from None
    if not isinstance(fields, dict):
        raise InvalidFieldsError
    return fields


def take(fields, required, optional=()):
    """Return the fields if they are those that the operation takes, and each is sound."""
    if not set(required) <= fields.keys() <= {*required, *optional}:
        raise InvalidFieldsError
    if not all(_SOUND[name](value) for name, value in fields.items()):
        raise InvalidFieldsError
    return fields


def _is_id(prefix):
    pattern = re.compile(rf"{prefix}_[A-Za-z0-9_]{{1,200}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_amount(value):
    return type(value) is int and 0 < value <= _MOST


def _is_currency(value):
    return isinstance(value, str) and value in _CURRENCIES


_SOUND = {
    "amount": _is_amount,
    "card": _is_id("pm"),
    "currency": _is_currency,
    "customer": _is_id("cus"),
    "payment": _is_id("pi"),
    "price": _is_id("price"),
}
