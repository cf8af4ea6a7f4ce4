"""What the events of a purchase say: that it is paid in full, at the price of what is bought; pure.

The templates of all events tell one amount in one currency, whatever the fields are called. So both can be replaced by
those of a plan wherever they stand.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from payproof.domain.entitlement import OtherBeneficiary
from payproof.domain.operation import Price

__all__ = ["find_values", "has_value", "name_other"]

_AMOUNT, _CURRENCY = 2000, "usd"
_PAID: Mapping[str, Mapping[str, object]] = {
    "checkout.session": {"status": "complete", "payment_status": "paid"},
    "subscription": {"status": "active", "cancel_at": None, "canceled_at": None, "cancel_at_period_end": False},
}


def find_values(event: Mapping[str, Any], cost: Price | None, *, paid: bool) -> dict[str, object]:
    """Return the values by which an event tells of a purchase at a cost, at dotted paths of its object.

    Without a ``cost`` the template's stays. With ``paid`` its object has the state of what is paid for.
    """
    subject = event["data"]["object"]
    values = dict(_PAID.get(str(subject.get("object")), {})) if paid else {}
    if cost is not None:
        values |= {path: _price(value, cost) for path, value in _leaves(subject) if _is_price(path, value)}
    return values


def _is_price(path: str, value: object) -> bool:
    if path.rpartition(".")[2] == "currency":
        return value == _CURRENCY
    return value in {_AMOUNT, str(_AMOUNT)} and value is not True


def _price(value: object, cost: Price) -> object:
    if value == _CURRENCY:
        return cost.currency
    return str(cost.amount) if isinstance(value, str) else cost.amount


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if "." not in key:
                yield from _leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}.{index}")
    elif isinstance(node, str | int):
        yield path, node


def name_other(subject: Mapping[str, Any], other: OtherBeneficiary) -> dict[str, object]:
    """Return the values by which an event's object names somebody else, at dotted paths."""
    named: dict[str, object] = {
        f"{path}.{name}": text for path in _find_metadata(subject) for name, text in other.metadata.items()
    }
    if other.reference and "client_reference_id" in subject:
        named["client_reference_id"] = other.reference
    return named


def has_value(subject: Any, path: str) -> bool:
    """Whether an event's object has a value at a dotted path, be it null; metadata takes whatever it is given."""
    parent, _, last = path.rpartition(".")
    node = subject
    for part in parent.split(".") if parent else ():
        if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        elif isinstance(node, Mapping):
            node = node.get(part)
        else:
            return False
    return isinstance(node, Mapping) and (last in node or parent.rpartition(".")[2] == "metadata")


def _find_metadata(node: Any, path: str = "") -> Iterator[str]:
    items = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        place = f"{path}.{key}" if path else str(key)
        if key == "metadata" and isinstance(value, Mapping):
            yield place
        elif "." not in str(key):
            yield from _find_metadata(value, place)
