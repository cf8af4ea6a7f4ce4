"""How the objects of an account refer to one another."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from payproof.stripe.placeholders import prefix_of

__all__ = [
    "KINDS",
    "SOURCES",
    "Object",
    "ObjectLookup",
    "find_of_customer",
    "invoice_of_intent",
    "kind_of",
    "page",
    "payment_id",
    "sublist",
]

Object = dict[str, Any]

#: The kind of object that an id names by its prefix.
KINDS: Mapping[str, str] = {
    "acct": "account",
    "ba": "bank_account",
    "card": "card",
    "ch": "charge",
    "clock": "test_helpers.test_clock",
    "cn": "credit_note",
    "cs": "checkout.session",
    "cus": "customer",
    "dp": "dispute",
    "ii": "invoiceitem",
    "in": "invoice",
    "inpay": "invoice_payment",
    "issfr": "radar.early_fraud_warning",
    "pi": "payment_intent",
    "pm": "payment_method",
    "po": "payout",
    "price": "price",
    "prod": "product",
    "promo": "promotion_code",
    "re": "refund",
    "seti": "setup_intent",
    "si": "subscription_item",
    "src": "source",
    "sub": "subscription",
    "sub_sched": "subscription_schedule",
    "txi": "tax_id",
    "txn": "balance_transaction",
}

#: The kinds of what a customer pays with besides payment methods.
SOURCES = ("bank_account", "card", "source")


def kind_of(object_id: object) -> str | None:
    """Return the kind of object that an id names, or None for what is no id of a known kind."""
    return KINDS.get(prefix_of(object_id)) if isinstance(object_id, str) else None


class ObjectLookup(Protocol):
    """Where objects are found."""

    def find(self, kind: str, object_id: str | None) -> Object | None:
        """Return an object, its stub where it was deleted, or None."""
        ...

    def told_as(self, content: Object, shape: str) -> Object | None:
        """Return how an event has shown an object in a shape, if the object is still as the event told."""
        ...

    def all(self, kind: str) -> Iterator[Object]:
        """Yield the objects of a kind that were not deleted, newest first."""
        ...


def find_of_customer(store: ObjectLookup, customer: str, *kinds: str) -> Iterator[Object]:
    """Yield the objects of some kinds that are a customer's."""
    return (one for kind in kinds for one in store.all(kind) if one.get("customer") == customer)


def page(url: str, data: list[Object], *, has_more: bool = False) -> Object:
    """Return a list as Stripe answers one."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def sublist(url: str, data: list[Object]) -> Object:
    """Return a list as it stands within an object, where Stripe tells how many there are."""
    return page(url, data) | {"total_count": len(data)}


def payment_id(invoice_id: str) -> str:
    """Return the id of an invoice's payment: the double has one for each invoice."""
    return invoice_id.replace("in_", "inpay_", 1)


def invoice_of_intent(intent: Object | None) -> str | None:
    """Return the invoice that a PaymentIntent pays, if it pays one."""
    details = None if intent is None else intent.get("payment_details")
    reference = details and details.get("order_reference")
    return reference if isinstance(reference, str) and reference.startswith("in_") else None
