"""What an object shows only when a call asks for it by ``expand``."""

from collections.abc import Callable, Mapping

from payproof.stripe.double.relations import Object, ObjectLookup, page, payment_id

__all__ = ["INCLUDED"]


def _refunds(charge: Object, store: ObjectLookup) -> Object:
    return page(f"/v1/charges/{charge['id']}/refunds", [r for r in store.all("refund") if r["charge"] == charge["id"]])


def _subscriptions(customer: Object, store: ObjectLookup) -> Object:
    url = f"/v1/customers/{customer['id']}/subscriptions"
    return page(
        url,
        [s for s in store.all("subscription") if s["customer"] == customer["id"] and s["status"] != "canceled"],
    )


def _payments(invoice: Object, store: ObjectLookup) -> Object:
    payment = store.find("invoice_payment", payment_id(invoice["id"]))
    return page(f"/v1/invoice_payments?invoice={invoice['id']}", [] if payment is None else [payment])


def _confirmation_secret(invoice: Object, store: ObjectLookup) -> Object | None:
    payment = store.find("invoice_payment", payment_id(invoice["id"]))
    intent = None if payment is None else store.find("payment_intent", payment["payment"]["payment_intent"])
    return intent and {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _line_items(session: Object, store: ObjectLookup) -> Object:
    items = [item for item in store.all("item") if item["id"].startswith(f"li_{session['id'][-20:]}")]
    return page(f"/v1/checkout/sessions/{session['id']}/line_items", items[::-1])


#: By kind of object and name of the property: what it shows.
INCLUDED: Mapping[tuple[str, str], Callable[[Object, ObjectLookup], Object | None]] = {
    ("charge", "refunds"): _refunds,
    ("checkout.session", "line_items"): _line_items,
    ("customer", "subscriptions"): _subscriptions,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _payments,
}
