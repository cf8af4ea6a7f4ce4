"""What objects had before API version 2025-03-31 (basil) and have no more."""

from collections.abc import Callable, Mapping

from payproof.stripe.double.relations import Object, ObjectLookup, invoice_of_intent, payment_id

__all__ = ["OLDER"]


def _charge(charge: Object, store: ObjectLookup) -> Object:
    return {"invoice": invoice_of_intent(store.find("payment_intent", charge["payment_intent"]))}


def _session(session: Object, _store: ObjectLookup) -> Object:
    collected = session["collected_information"]
    return {"shipping_details": collected and collected["shipping_details"]}


_UNUSED = ("application_fee_amount", "discount", "quote", "rendering_options", "tax", "transfer_data")


def _invoice(invoice: Object, store: ObjectLookup) -> Object:
    payment = store.find("invoice_payment", payment_id(invoice["id"])) if "id" in invoice else None
    intent = None if payment is None else store.find("payment_intent", payment["payment"]["payment_intent"])
    parent = invoice["parent"] or {}
    details = parent.get("subscription_details") or {}
    paid = invoice["status"] == "paid"
    return dict.fromkeys(_UNUSED) | {
        "charge": intent and intent["latest_charge"],
        "paid": paid,
        "paid_out_of_band": paid and invoice["amount_paid_off_stripe"] > 0,
        "payment_intent": intent and intent["id"],
        "subscription": details.get("subscription"),
        "total_tax_amounts": [],
    }


def _line(line: Object, store: ObjectLookup) -> Object:
    parent = line["parent"]
    details = parent[parent["type"]]
    pricing = line["pricing"] or {}
    price = (pricing.get("price_details") or {}).get("price")
    recurring = parent["type"] == "subscription_item_details"
    shown = {
        "amount_excluding_tax": line["amount"],
        "price": store.find("price", price),
        "proration": details["proration"],
        "proration_details": details["proration_details"],
        "subscription_item": details.get("subscription_item"),
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription" if recurring else "invoiceitem",
        "unit_amount_excluding_tax": pricing.get("unit_amount_decimal"),
    }
    if not recurring:
        del shown["subscription_item"]
        shown["invoice_item"] = details["invoice_item"]
    return shown


def _intent(intent: Object, _store: ObjectLookup) -> Object:
    automatic = intent["capture_method"] == "automatic_async"
    return {
        "capture_method": "automatic" if automatic else intent["capture_method"],
        "invoice": invoice_of_intent(intent),
    }


def _price(price: Object, _store: ObjectLookup) -> Object:
    recurring = price["recurring"]
    if recurring is None:
        return {}
    kept = {name: value for name, value in recurring.items() if name != "meter"}
    return {"recurring": kept | {"aggregate_usage": None}}


def _subscription(subscription: Object, _store: ObjectLookup) -> Object:
    first = subscription["items"]["data"][0]
    return {name: first[name] for name in ("current_period_end", "current_period_start")} | {"discount": None}


def _item(item: Object, _store: ObjectLookup) -> Object:
    pricing = item["pricing"] or {}
    price = (pricing.get("price_details") or {}).get("price")
    parent = item["parent"] or {}
    details = parent.get("subscription_details") or {}
    return {
        "price": _store.find("price", price),
        "subscription": details.get("subscription"),
        "unit_amount": None if price is None else item["amount"] // (item["quantity"] or 1),
        "unit_amount_decimal": pricing.get("unit_amount_decimal"),
    }


def _coupon(discount: Object, store: ObjectLookup) -> Object:
    source = discount.get("source") or discount.get("promotion") or {}
    return {"coupon": store.find("coupon", source.get("coupon"))}


def _plan(plan: Object, _store: ObjectLookup) -> Object:  # noqa: ARG001 (as the others)
    return {"aggregate_usage": None}


def _credited(line: Object, _store: ObjectLookup) -> Object:
    return {
        "amount_excluding_tax": line["amount"],
        "tax_amounts": [],
        "unit_amount_excluding_tax": str(line["amount"] // (line["quantity"] or 1)),
    }


def _credit_note(note: Object, _store: ObjectLookup) -> Object:
    refunds = note["refunds"]
    return {"refund": refunds[0]["refund"] if refunds else None, "tax_amounts": []}


#: By kind of object: from the newest shape to the properties that only the older one has, or has otherwise.
OLDER: Mapping[str, Callable[[Object, ObjectLookup], Object]] = {
    "charge": _charge,
    "checkout.session": _session,
    "credit_note": _credit_note,
    "credit_note_line_item": _credited,
    "discount": _coupon,
    "invoice": _invoice,
    "invoiceitem": _item,
    "line_item": _line,
    "payment_intent": _intent,
    "plan": _plan,
    "price": _price,
    "promotion_code": _coupon,
    "subscription": _subscription,
}
