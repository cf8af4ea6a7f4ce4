"""The next invoice of a subscription as it would be now; nothing of it is kept."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.billing import item_line, make_invoice, pending_items, subscription_line
from payproof.stripe.double.calls import Call, operation
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.lifecycle import ENDED
from payproof.stripe.double.periods import end_of_period
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore


@operation("POST /v1/invoices/create_preview")
def preview_invoice(call: Call) -> Object:
    """Show the next invoice, since API version 2025-03-31."""
    details = call.params.get("subscription_details") or {}
    invoice = _preview(call, details.get("items") or [])
    return invoice | {"id": f"upcoming_{invoice['id']}"}


@operation("GET /v1/invoices/upcoming")
def upcoming_invoice(call: Call) -> Object:
    """Show the next invoice, before API version 2025-03-31; it has no id."""
    invoice = _preview(call, call.params.get("subscription_items") or [])
    del invoice["id"]
    return invoice


def _preview(call: Call, changes: list[Mapping[str, Any]]) -> Object:
    store = call.store
    subscription = _find_subscription(call)
    customer = store.living("customer", subscription["customer"])
    items = [_changed(store, item, changes) for item in subscription["items"]["data"]]
    start = min(item["current_period_end"] for item in items)
    lines = [item_line(store, item) for item in pending_items(store, customer["id"], subscription["id"])]
    lines += [
        subscription_line(store, item, start, end_of_period(start, item["price"]["recurring"]))
        for item in items
        if item["price"]["recurring"]["usage_type"] == "licensed"
    ]
    values = {
        "billing_reason": "upcoming",
        "collection_method": subscription["collection_method"],
        "created": start,
        "currency": subscription["currency"],
        "default_payment_method": subscription["default_payment_method"],
        "next_payment_attempt": start,
        "period_end": start,
        "period_start": min(item["current_period_start"] for item in items),
        "subscription": subscription["id"],
    }
    invoice = dict(make_invoice(store, customer, values, lines))
    store.roll_back()  # it was only made to be shown
    return invoice


def _find_subscription(call: Call) -> Object:
    store, params = call.store, call.params
    if (wanted := params.get("subscription")) is not None:
        found: Object | None = store.require("subscription", wanted, "subscription")
    elif (customer := params.get("customer")) is not None:
        store.require("customer", customer, "customer")
        mine = (one for one in store.all("subscription") if one["customer"] == customer)
        found = next((one for one in mine if one["status"] not in ENDED), None)
    else:
        message = "You must provide one of `customer`, `customer_account`, `subscription` or `schedule`."
        raise invalid(message, code="parameter_missing", began=False)
    if found is None or found["status"] in ENDED:
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none", status=404)
    return found


def _changed(store: ObjectStore, item: Object, changes: list[Mapping[str, Any]]) -> Object:
    """Return an item of a subscription with the price and quantity that the preview is asked for."""
    wanted = next((one for one in changes if one.get("id") == item["id"]), {})
    price = wanted.get("price") or wanted.get("plan")
    found = item["price"] if price is None else store.require("price", price, "price")
    return item | {"price": found, "quantity": wanted.get("quantity", item["quantity"])}
