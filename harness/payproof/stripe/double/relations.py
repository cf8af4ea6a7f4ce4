"""How the objects of an account refer to one another."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

__all__ = ["KINDS", "Object", "ObjectLookup", "invoice_of_intent", "page", "payment_id"]

Object = dict[str, Any]

#: The kind of object that an id names by its prefix.
KINDS: Mapping[str, str] = {
    "ch": "charge",
    "cs": "checkout.session",
    "cus": "customer",
    "dp": "dispute",
    "ii": "invoiceitem",
    "in": "invoice",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "pm": "payment_method",
    "price": "price",
    "prod": "product",
    "re": "refund",
    "si": "subscription_item",
    "sub": "subscription",
}


class ObjectLookup(Protocol):
    """Where objects are found."""

    def find(self, kind: str, object_id: str | None) -> Object | None:
        """Return an object, its stub where it was deleted, or None."""
        ...

    def all(self, kind: str) -> Iterator[Object]:
        """Yield the objects of a kind that were not deleted, newest first."""
        ...


def page(url: str, data: list[Object], *, has_more: bool = False) -> Object:
    """Return a list as Stripe answers one."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def payment_id(invoice_id: str) -> str:
    """Return the id of an invoice's payment: the double has one for each invoice."""
    return invoice_id.replace("in_", "inpay_", 1)


def invoice_of_intent(intent: Object | None) -> str | None:
    """Return the invoice that a PaymentIntent pays, if it pays one."""
    details = None if intent is None else intent.get("payment_details")
    reference = details and details.get("order_reference")
    return reference if isinstance(reference, str) and reference.startswith("in_") else None
