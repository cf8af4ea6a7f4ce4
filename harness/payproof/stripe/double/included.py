"""What an object shows only when a call asks for it by ``expand``."""

from collections.abc import Callable, Mapping
from typing import Any

from payproof.stripe.double.relations import SOURCES, Object, ObjectLookup, find_of_customer, payment_id, sublist

__all__ = ["INCLUDED"]


def _refunds(charge: Object, store: ObjectLookup) -> Object:
    return sublist(
        f"/v1/charges/{charge['id']}/refunds", [r for r in store.all("refund") if r["charge"] == charge["id"]]
    )


def _subscriptions(customer: Object, store: ObjectLookup) -> Object:
    url = f"/v1/customers/{customer['id']}/subscriptions"
    return sublist(
        url,
        [s for s in store.all("subscription") if s["customer"] == customer["id"] and s["status"] != "canceled"],
    )


def _payments(invoice: Object, store: ObjectLookup) -> Object:
    payment = store.find("invoice_payment", payment_id(invoice["id"]))
    return sublist(f"/v1/invoice_payments?invoice={invoice['id']}", [] if payment is None else [payment])


def _confirmation_secret(invoice: Object, store: ObjectLookup) -> Object | None:
    payment = store.find("invoice_payment", payment_id(invoice["id"]))
    intent = None if payment is None else store.find("payment_intent", payment["payment"]["payment_intent"])
    return intent and {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _line_items(session: Object, store: ObjectLookup) -> Object:
    items = [item for item in store.all("item") if item["id"].startswith(f"li_{session['id'][-20:]}")]
    return sublist(f"/v1/checkout/sessions/{session['id']}/line_items", items[::-1])


def _sources(customer: Object, store: ObjectLookup) -> Object:
    return sublist(f"/v1/customers/{customer['id']}/sources", [*find_of_customer(store, customer["id"], *SOURCES)])


def _tax_ids(customer: Object, store: ObjectLookup) -> Object:
    return sublist(f"/v1/customers/{customer['id']}/tax_ids", [*find_of_customer(store, customer["id"], "tax_id")])


def _dispute(charge: Object, store: ObjectLookup) -> Object | None:
    """Return a charge's dispute, which Stripe still shows to those who ask, though its documents do not list it."""
    return next((one for one in store.all("dispute") if one["charge"] == charge["id"]), None)


def _own_currency(price: Object, _: ObjectLookup) -> Object | None:
    amounts = ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")
    return {price["currency"]: {name: price.get(name) for name in amounts}}


def _no_breakdown(_: Object, __: ObjectLookup) -> Object | None:
    return {"discounts": [], "taxes": []}


def _no_discounts(_: Object, __: ObjectLookup) -> Any:
    return []


def _nothing(_: Object, __: ObjectLookup) -> Object | None:
    return None


#: By kind of object, or name of what has no kind, and name of the property: what it shows.
INCLUDED: Mapping[tuple[str, str], Callable[[Object, ObjectLookup], Object | None]] = {
    ("charge", "dispute"): _dispute,
    ("charge", "refunds"): _refunds,
    ("checkout.session", "line_items"): _line_items,
    ("coupon", "applies_to"): _nothing,
    ("coupon", "currency_options"): _nothing,
    ("customer", "cash_balance"): _nothing,
    ("customer", "sources"): _sources,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax"): _nothing,
    ("customer", "tax_ids"): _tax_ids,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _payments,
    ("item", "discounts"): _no_discounts,
    ("price", "currency_options"): _own_currency,
    ("price", "tiers"): _nothing,
    ("total_details", "breakdown"): _no_breakdown,
}
