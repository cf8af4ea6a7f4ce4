"""Plants canaries in JSON values."""

from collections.abc import Iterator
from typing import Any

from payproof.fuzzing.canaries import FuzzingCanaries

__all__ = ["Place", "bodies", "places", "replace_value"]

#: The keys and positions that lead to a value.
Place = tuple[str | int, ...]

_MOST_PLACES = 12


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where the texts, numbers and other leaves of a JSON value stand, the first 12."""
    left = [(at, value)]
    found = 0
    while left and found < _MOST_PLACES:
        here, one = left.pop(0)
        if isinstance(one, dict):
            left += [((*here, key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            left += [((*here, index), inner) for index, inner in enumerate(one)]
        else:
            found += 1
            yield here


def replace_value(value: Any, place: Place, new: Any) -> Any:
    """Return a copy of a JSON value with another value at a place; at a new key it is added."""
    if not place:
        return new
    first, *rest = place
    if isinstance(value, dict):
        return {**value, first: replace_value(value.get(first), tuple(rest), new)}
    assert isinstance(value, list)
    return [replace_value(one, tuple(rest), new) if index == first else one for index, one in enumerate(value)]


def bodies(value: Any, canaries: FuzzingCanaries) -> Iterator[Any]:
    """Yield variants of a JSON body with a canary: in place of each leaf, and in members that nobody expects."""
    new: Any
    for place in places(value):
        for new in (canaries.text, canaries.number, int(canaries.number)):
            yield replace_value(value, place, new)
    if isinstance(value, dict):
        card = {"number": canaries.number, "name": canaries.holder, "exp_month": 12, "exp_year": 2030, "cvc": "737"}
        for key, new in (
            ("card", card),
            ("card_number", canaries.number),
            ("description", canaries.text),
            ("metadata", {"note": canaries.text}),
            ("tenant_id", canaries.text),
        ):
            yield replace_value(value, (key,), new)
