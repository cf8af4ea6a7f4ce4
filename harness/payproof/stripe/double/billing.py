"""Invoices as they come to be and are paid."""

from collections.abc import Iterable, Mapping
from typing import Any

from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.payment_methods import made_of
from payproof.stripe.double.payments import charge, make_intent
from payproof.stripe.double.periods import DAY
from payproof.stripe.double.relations import Object, payment_id, sublist
from payproof.stripe.double.store import ObjectStore
from payproof.stripe.double.wallet import default_method

__all__ = [
    "collect",
    "finalize",
    "has_method",
    "intent_of",
    "item_line",
    "make_invoice",
    "mark_paid",
    "no_method",
    "note_failure",
    "pending_items",
    "subscription_line",
    "with_lines",
]

_NO_METHOD = (
    "This customer has no attached payment source or default payment method. "
    "Please consider adding a default payment method."
)
#: When a failed payment is tried again. At Stripe this is a setting, by default one that learns from other payments
#: (https://docs.stripe.com/billing/revenue-recovery/smart-retries). The double keeps to a schedule that does not
#: change, as a custom one of three retries at Stripe.
_RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)


def no_method() -> ApiError:
    """Return the error for a customer who has nothing to pay with."""
    return invalid(_NO_METHOD, code="resource_missing")


def subscription_line(store: ObjectStore, item: Object, start: int, end: int) -> Object:
    """Return the line of an invoice for one period of a subscription's item."""
    price = item["price"]
    quantity = item.get("quantity", 1)
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    parent = {"invoice_item_details": None, "subscription_item_details": details}
    amount = (price["unit_amount"] or 0) * quantity
    return _line(store, price, quantity, amount, start, end) | {
        "parent": parent | {"type": "subscription_item_details"},
        "subscription": item["subscription"],
    }


def _line(store: ObjectStore, price: Object | None, quantity: int, amount: int, start: int, end: int) -> Object:
    return store.make(
        "line_item",
        {
            "amount": amount,
            "period": {"end": end, "start": start},
            "pricing": price
            and {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "subtotal": amount,
        }
        | ({} if price is None else {"currency": price["currency"]}),
    )


def item_line(store: ObjectStore, item: Object) -> Object:
    """Return the line of an invoice for an invoice item."""
    price = store.find("price", ((item["pricing"] or {}).get("price_details") or {}).get("price"))
    period = item["period"]
    line = _line(store, price, item["quantity"], item["amount"], period["start"], period["end"])
    owner = ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": owner,
    }
    return line | {
        "currency": item["currency"],
        "description": item["description"],
        "parent": {
            "invoice_item_details": details,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "subscription": owner,
    }


def pending_items(store: ObjectStore, customer_id: str, subscription_id: str | None = None) -> list[Object]:
    """Return the items that the next invoice of a customer, or of one subscription, is to take up, oldest first."""
    found = (
        item
        for item in store.all("invoiceitem")
        if item["customer"] == customer_id
        and item["invoice"] is None
        and (subscription_id is None or _owner(item) in {None, subscription_id})
    )
    return list(found)[::-1]


def _owner(item: Object) -> str | None:
    details = (item["parent"] or {}).get("subscription_details") or {}
    owner: str | None = details.get("subscription")
    return owner


def make_invoice(store: ObjectStore, customer: Object, values: Mapping[str, Any], lines: Iterable[Object]) -> Object:
    """Make a draft of an invoice with the given lines."""
    subscription = values.get("subscription")
    rest = {name: value for name, value in values.items() if name != "subscription"}
    details: Object = {"metadata": {}, "subscription": subscription}
    invoice = store.make(
        "invoice",
        {
            "account_name": None,
            "automatically_finalizes_at": None,
            "billing_reason": "manual",
            "customer": customer["id"],
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
            "customer_shipping": customer["shipping"],
            "next_payment_attempt": None,
            "parent": subscription
            and {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
            "period_start": store.now(),
        }
        | rest,
    )
    invoice = with_lines(store, invoice["id"], list(lines))
    store.emit("invoice.created", invoice)
    return invoice


def with_lines(store: ObjectStore, invoice_id: str, lines: list[Object]) -> Object:
    """Give an invoice its lines, and reckon its amounts anew."""
    total = sum(line["amount"] for line in lines)
    due = max(total, 0)
    held = [line | {"invoice": invoice_id} for line in lines]
    amounts = dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total)
    changes = amounts | {
        "amount_due": due,
        "amount_remaining": due,
        "lines": sublist(f"/v1/invoices/{invoice_id}/lines", held),
    }
    if held:
        changes["currency"] = held[0]["currency"]
    return store.change("invoice", invoice_id, changes)[0]


def finalize(store: ObjectStore, invoice_id: str) -> Object:
    """Finalize a draft: it gets a number and, where something is due, a PaymentIntent; what is free is paid at once."""
    draft = store.living("invoice", invoice_id)
    customer = store.find("customer", draft["customer"]) or {}
    number = customer.get("next_invoice_sequence", 1)
    if not customer.get("deleted"):
        store.change("customer", draft["customer"], {"next_invoice_sequence": number + 1})
    token = store.new_id("test")
    page_of = f"https://invoice.stripe.com/i/{store.new_id('acct')}/{token}"
    now = store.now()
    state = {
        "automatically_finalizes_at": None,
        "effective_at": now,
        "ending_balance": 0,
        "hosted_invoice_url": f"{page_of}?s=ap",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{token}/pdf?s=ap",
        "number": f"{customer.get('invoice_prefix', 'DELETED')}-{number:04d}",
        "status": "open",
        "status_transitions": draft["status_transitions"] | {"finalized_at": now},
    }
    invoice, _ = store.change("invoice", invoice_id, state)
    store.emit("invoice.finalized", invoice)
    if not invoice["amount_due"]:
        return mark_paid(store, invoice_id)
    intent = make_intent(
        store,
        {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "customer": invoice["customer"],
            "payment_details": {"customer_reference": None, "order_reference": invoice_id},
            "setup_future_usage": "off_session" if invoice["parent"] else None,
        },
    )
    store.make(
        "invoice_payment",
        {
            "id": payment_id(invoice_id),
            "amount_requested": invoice["amount_due"],
            "currency": invoice["currency"],
            "invoice": invoice_id,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        },
    )
    return invoice


def intent_of(store: ObjectStore, invoice_id: str) -> Object:
    """Return the PaymentIntent that pays an invoice."""
    payment = store.living("invoice_payment", payment_id(invoice_id))
    return store.living("payment_intent", payment["payment"]["payment_intent"])


def mark_paid(store: ObjectStore, invoice_id: str, *, elsewhere: bool = False) -> Object:
    """Take an invoice as paid, by Stripe or, out of band, elsewhere."""
    before = store.living("invoice", invoice_id)
    now, due = store.now(), before["amount_due"]
    state = {
        "amount_paid": due,
        "amount_paid_off_stripe": due if elsewhere else 0,
        "amount_remaining": 0,
        "attempted": before["attempted"] or (due > 0 and not elsewhere),
        "next_payment_attempt": None,
        "status": "paid",
        "status_transitions": before["status_transitions"] | {"paid_at": now},
    }
    invoice, _ = store.change("invoice", invoice_id, state)
    if (payment := store.find("invoice_payment", payment_id(invoice_id))) is not None:
        transitions = payment["status_transitions"] | {"canceled_at" if elsewhere else "paid_at": now}
        status = "canceled" if elsewhere else "paid"
        store.change(
            "invoice_payment",
            payment["id"],
            {"amount_paid": 0 if elsewhere else due, "status": status, "status_transitions": transitions},
        )
    store.emit("invoice.paid", invoice)
    store.emit("invoice.payment_succeeded", invoice)
    return invoice


def collect(
    store: ObjectStore, invoice_id: str, method_id: str | None = None, *, off_session: bool = True
) -> tuple[Object, ApiError | None]:
    """Try to have an open invoice paid by a PaymentMethod or the customer's own, and return how it went.

    Raises:
        ApiError: there is nothing to pay with.
    """
    invoice = store.living("invoice", invoice_id)
    if invoice["status"] != "open":
        return invoice, None
    chosen = method_id or _method_of(store, invoice)
    if chosen is None:
        raise no_method()
    method = made_of(store, chosen, "payment_method")
    intent, error = charge(store, intent_of(store, invoice_id)["id"], method, off_session=off_session)
    attempts = invoice["attempt_count"] + 1
    if intent["status"] == "succeeded":
        store.change("invoice", invoice_id, {"attempt_count": attempts, "attempted": True})
        return mark_paid(store, invoice_id), None
    return note_failure(store, invoice, "invoice.payment_failed" if error else "invoice.payment_action_required"), error


def note_failure(store: ObjectStore, invoice: Object, event: str) -> Object:
    """Count a payment of an invoice that did not succeed, and see to it that it is tried again, while it is."""
    attempts = invoice["attempt_count"] + 1
    later = invoice["billing_reason"] != "subscription_create" and attempts <= len(_RETRIES)
    again = store.now() + _RETRIES[attempts - 1] if later else None
    state = {"attempt_count": attempts, "attempted": True, "next_payment_attempt": again}
    invoice, _ = store.change("invoice", invoice["id"], state)
    if again is not None:
        store.schedule(again, "invoice", invoice["id"])
    store.emit(event, invoice)
    return invoice


def has_method(store: ObjectStore, subscription: Object) -> bool:
    """Whether there is a PaymentMethod that a subscription's invoices would be paid with."""
    return bool(subscription["default_payment_method"] or default_method(store, subscription["customer"]))


def _method_of(store: ObjectStore, invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = store.find("subscription", details.get("subscription")) or {}
    return (
        invoice["default_payment_method"]
        or subscription.get("default_payment_method")
        or default_method(store, invoice["customer"])
    )
