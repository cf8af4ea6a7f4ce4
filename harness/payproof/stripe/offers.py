"""Places in an event where a customer or a merchant could have put payment data, and how it is put there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["INPUTS", "Bait", "bait_inputs"]

_TEXTS = frozenset(
    {
        *("calculated_statement_descriptor", "client_reference_id", "comment", "description", "failure_message"),
        *("footer", "memo", "nickname", "seller_message", "statement_descriptor", "statement_descriptor_suffix"),
        *("transfer_group", "verified_address"),
    }
)
#: Short ones: what a merchant calls a coupon, and the number of a tax id.
_SHORT = frozenset({"coupon", "value"})
_PEOPLE = frozenset({"business_name", "customer_name", "individual_name", "name", "verified_name"})
_ADDRESSES = frozenset({"customer_email", "email", "receipt_email"})
_PHONES = frozenset({"customer_phone", "phone"})
_BILLING = frozenset(
    {"address", "billing_details", "customer_address", "customer_details", "owner", "shipping", "shipping_details"}
)
_CARDS = frozenset({"card", "us_bank_account", "sepa_debit"})


@dataclass(frozen=True, slots=True)
class Bait:
    """Payment data to put into one sort of input: a card number, track data, an IBAN, a name and a secret."""

    number: str
    track: str
    iban: str
    name: str
    secret: str

    @property
    def text(self) -> str:
        """All of it in one text; what cuts texts keeps the number."""
        return f"{self.number} {self.iban} {self.track} {self.name} {self.secret}"

    @property
    def entries(self) -> dict[str, str]:
        """All of it by name."""
        return {
            "card_number": self.number,
            "cardholder": self.name,
            "client_secret": self.secret,
            "iban": self.iban,
            "track2": self.track,
        }


def bait_inputs(event: dict[str, Any], input_: str, bait: Bait) -> bool:
    """Put bait into every input of one sort in an event, in place; return whether there is any."""
    return INPUTS[input_](event, bait)


def _metadata(event: dict[str, Any], bait: Bait) -> bool:
    found = [node["metadata"] for node in _objects(event["data"]) if isinstance(node.get("metadata"), dict)]
    for metadata in found:
        metadata.update(bait.entries)
    return bool(found)


def _texts(event: dict[str, Any], bait: Bait) -> bool:
    return _replace_inputs(event, dict.fromkeys(_TEXTS, bait.text) | dict.fromkeys(_SHORT, bait.number))


def _billing_details(event: dict[str, Any], bait: Bait) -> bool:
    values = {
        "city": bait.iban,
        "email": f"{bait.number}@example.com",
        "line1": bait.text,
        "line2": bait.track,
        "name": f"{bait.name} {bait.number}",
        "phone": bait.number,
        "postal_code": bait.number,
        "state": bait.number,
    }
    found = False
    for node in _objects(event["data"]):
        for key in _BILLING & node.keys():
            if isinstance(node[key], dict):
                found |= _fill_texts(node[key], values)
    return found


def _names(event: dict[str, Any], bait: Bait) -> bool:
    return _replace_inputs(
        event,
        {
            **dict.fromkeys(_PEOPLE, f"{bait.name} {bait.number}"),
            **dict.fromkeys(_ADDRESSES, f"{bait.number}@example.com"),
            **dict.fromkeys(_PHONES, bait.number),
        },
        outside=_BILLING,
    )


def _card_details(event: dict[str, Any], bait: Bait) -> bool:
    found = False
    for node in _objects(event["data"]):
        for key in _CARDS & node.keys():
            if isinstance(node[key], dict):
                node[key].update({"number": bait.number, "name": bait.name, "track2": bait.track, "iban": bait.iban})
                found = True
    return found


def _unknown_fields(event: dict[str, Any], bait: Bait) -> bool:
    for node in (event, event["data"], event["data"]["object"]):
        node["payment_card"] = {"number": bait.number, **bait.entries}
    return True


def _replace_inputs(event: dict[str, Any], values: Mapping[str, str], outside: frozenset[str] = frozenset()) -> bool:
    found = False
    for node in _objects(event["data"], outside):
        found |= _fill_texts(node, values)
    return found


def _fill_texts(node: dict[str, Any], values: Mapping[str, str]) -> bool:
    """Replace the texts of an object, also those that are null."""
    fitting = [key for key, value in node.items() if key in values and (value is None or isinstance(value, str))]
    for key in fitting:
        node[key] = values[key]
    return bool(fitting)


def _objects(node: Any, outside: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for key, inner in list(node.items()):
            if key not in outside:
                yield from _objects(inner, outside)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner, outside)


#: Sorts of input in an event, each with what puts bait there.
INPUTS: Mapping[str, Callable[[dict[str, Any], Bait], bool]] = {
    "billing_details": _billing_details,
    "card_details": _card_details,
    "metadata": _metadata,
    "names": _names,
    "texts": _texts,
    "unknown_fields": _unknown_fields,
}
