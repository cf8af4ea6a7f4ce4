"""Invoices and invoice items."""

from payproof.stripe.double.billing import (
    collect,
    finalize,
    item_line,
    make_invoice,
    mark_paid,
    pending_items,
    with_lines,
)
from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.catalogue import price_of
from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.lifecycle import bill, settle_invoice
from payproof.stripe.double.periods import DAY, HOUR
from payproof.stripe.double.relations import Object, payment_id
from payproof.stripe.double.store import ObjectStore

__all__ = ["close_invoice"]

_TAKEN = ("collection_method", "default_payment_method", "description", "footer", "statement_descriptor")
_ITEM = ("description", "discountable")
#: By status: when it came to it, and the event that tells.
_CLOSING = {
    "uncollectible": ("marked_uncollectible_at", "invoice.marked_uncollectible"),
    "void": ("voided_at", "invoice.voided"),
}


@operation("POST /v1/invoices")
def create_invoice(call: Call) -> Object:
    """Create a draft: of a subscription's pending items, or of a customer's."""
    store, params = call.store, call.params
    if (customer_id := params.get("customer")) is None:
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer", began=False)
    customer = store.require("customer", customer_id, "customer")
    method, days = params.get("collection_method"), params.get("days_until_due")
    if method == "send_invoice" and days is None and "due_date" not in params:
        message = (
            "If you're creating an invoice with `collection_method=send_invoice`, give days_until_due or due_date."
        )
        raise invalid(message, param="days_until_due", began=False)
    values = take_params(params, _TAKEN, {}) | {
        "auto_advance": params.get("auto_advance", False),
        "currency": (params.get("currency") or customer["currency"] or "usd").lower(),
        "due_date": params.get("due_date") or (None if days is None else store.now() + days * DAY),
    }
    if subscription := params.get("subscription"):
        store.require("subscription", subscription, "subscription")
        invoice = bill(store, subscription, "manual", whole=False, **values)
    else:
        wanted = params.get("pending_invoice_items_behavior", "exclude") == "include"
        items = pending_items(store, customer_id) if wanted else []
        invoice = make_invoice(store, customer, values, [item_line(store, item) for item in items])
        for item in items:
            store.change("invoiceitem", item["id"], {"invoice": invoice["id"]})
    if invoice["auto_advance"]:
        at = store.now() + HOUR
        invoice, _ = store.change("invoice", invoice["id"], {"automatically_finalizes_at": at})
        store.schedule(at, "invoice", invoice["id"])
    return invoice


@operation("GET /v1/invoices")
def list_invoices(call: Call) -> Object:
    """List invoices."""
    params = call.params
    return list_page(
        call,
        (
            invoice
            for invoice in call.store.all("invoice")
            if all(
                invoice[name] == params[name] for name in ("collection_method", "customer", "status") if name in params
            )
            and params.get("subscription") in {None, _subscription(invoice)}
        ),
        "/v1/invoices",
    )


def _subscription(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


@operation("GET /v1/invoices/{}")
def retrieve_invoice(call: Call) -> Object:
    """Fetch an invoice."""
    return call.store.living("invoice", call.id)


@operation("GET /v1/invoices/{}/lines")
def list_lines(call: Call) -> Object:
    """List the lines of an invoice."""
    invoice = call.store.living("invoice", call.id, "invoice")
    return list_page(call, invoice["lines"]["data"], f"/v1/invoices/{call.id}/lines")


@operation("GET /v1/invoice_payments")
def list_payments(call: Call) -> Object:
    """List what pays invoices."""
    params = call.params
    return list_page(
        call,
        (
            payment
            for payment in call.store.all("invoice_payment")
            if all(payment[name] == params[name] for name in ("invoice", "status") if name in params)
        ),
        "/v1/invoice_payments",
    )


@operation("GET /v1/invoice_payments/{}")
def retrieve_payment(call: Call) -> Object:
    """Fetch what pays an invoice."""
    return call.store.living("invoice_payment", call.id)


@operation("POST /v1/invoices/{}")
def update_invoice(call: Call) -> Object:
    """Change an invoice; once it is finalized, little of it."""
    store, params = call.store, call.params
    before = store.living("invoice", call.id)
    if before["status"] != "draft" and params.keys() - {"metadata", "auto_advance", "default_payment_method"}:
        raise invalid("Finalized invoices can't be updated in this way.", code="invoice_not_editable")
    changes = take_params(params, (*_TAKEN, "auto_advance", "due_date"), before)
    after, before = store.change("invoice", call.id, changes)
    store.emit("invoice.updated", after, before)
    return after


@operation("DELETE /v1/invoices/{}")
def delete_invoice(call: Call) -> Object:
    """Delete a draft; its items are pending again."""
    store = call.store
    before = _of_status(store, call.id, "draft", "You can only delete draft invoices.")
    for item in list(store.all("invoiceitem")):
        if item["invoice"] == call.id:
            store.change("invoiceitem", item["id"], {"invoice": None})
    store.remove("invoice", call.id)
    store.emit("invoice.deleted", before)
    return {"id": call.id, "object": "invoice", "deleted": True}


def _of_status(store: ObjectStore, invoice_id: str, status: str, message: str) -> Object:
    invoice = store.living("invoice", invoice_id)
    if invoice["status"] != status:
        raise invalid(message, code=None if status == "draft" else "status_transition_invalid")
    return invoice


@operation("POST /v1/invoices/{}/finalize")
def finalize_invoice(call: Call) -> Object:
    """Finalize a draft."""
    _of_status(call.store, call.id, "draft", "This invoice is already finalized, you can't re-finalize it.")
    invoice = finalize(call.store, call.id)
    settle_invoice(call.store, invoice)
    return invoice


@operation("POST /v1/invoices/{}/pay")
def pay_invoice(call: Call) -> Object:
    """Pay an invoice now; a decline leaves its traces, and is the answer."""
    store, params = call.store, call.params
    invoice = store.living("invoice", call.id)
    if invoice["status"] == "draft":
        invoice = finalize(store, call.id)
    if invoice["status"] == "paid" and call.params.keys() - {"expand"} == set() and not invoice["amount_due"]:
        return invoice
    if invoice["status"] != "open":
        message = "Invoice is already paid" if invoice["status"] == "paid" else "Invoice is no longer payable"
        raise invalid(message)
    error: ApiError | None = None
    if params.get("paid_out_of_band"):
        invoice = mark_paid(store, call.id, elsewhere=True)
    else:
        invoice, error = collect(
            store, call.id, params.get("payment_method"), off_session=params.get("off_session", True)
        )
    settle_invoice(store, invoice)
    if error is not None:
        store.commit()
        raise error
    if invoice["status"] != "paid":
        store.commit()
        message = "This payment requires additional user action before it can be completed successfully."
        raise invalid(message, code="invoice_payment_intent_requires_action", status=402)
    return invoice


@operation("POST /v1/invoices/{}/void")
def void_invoice(call: Call) -> Object:
    """Void an invoice that is open or uncollectible."""
    return _close_invoice(call, "void", ("open", "uncollectible"))


@operation("POST /v1/invoices/{}/mark_uncollectible")
def write_off_invoice(call: Call) -> Object:
    """Give an open invoice up."""
    return _close_invoice(call, "uncollectible", ("open",))


def _close_invoice(call: Call, status: str, allowed: tuple[str, ...]) -> Object:
    before = call.store.living("invoice", call.id)
    if before["status"] not in allowed:
        raise invalid(f"You can only pass in open invoices. This invoice isn't {' or '.join(allowed)}.")
    return close_invoice(call.store, before, status)


def close_invoice(store: ObjectStore, invoice: Object, status: str) -> Object:
    """Give an open invoice up: as ``void``, or as ``uncollectible``."""
    at, event = _CLOSING[status]
    transitions = invoice["status_transitions"] | {at: store.now()}
    state = {"next_payment_attempt": None, "status": status, "status_transitions": transitions}
    after, _ = store.change("invoice", invoice["id"], state)
    if status == "void" and (payment := store.find("invoice_payment", payment_id(invoice["id"]))) is not None:
        store.change("invoice_payment", payment["id"], {"status": "canceled"})
    store.emit(event, after)
    return after


@operation("POST /v1/invoices/{}/send")
def send_invoice(call: Call) -> Object:
    """Send an invoice to its customer, who then can pay it on Stripe's page."""
    store = call.store
    invoice = store.living("invoice", call.id)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        invoice = finalize(store, call.id)
    store.emit("invoice.sent", invoice)
    return invoice


@operation("POST /v1/invoiceitems")
def create_item(call: Call) -> Object:
    """Add an item to a draft, or to the next invoice of a customer."""
    store, params = call.store, call.params
    if (customer_id := params.get("customer")) is None:
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer", began=False)
    customer = store.require("customer", customer_id, "customer")
    quantity = params.get("quantity", 1)
    named = (params.get("pricing") or {}).get("price") or params.get("price")
    price = None
    if named is not None or "price_data" in params:
        given = {"price": named} if named is not None else {"price_data": params["price_data"]}
        price = price_of(store, given, "pricing", recurring=False)
        amount, currency = (price["unit_amount"] or 0) * quantity, price["currency"]
    elif "amount" in params:
        amount, currency = params["amount"], (params.get("currency") or customer["currency"] or "usd").lower()
    else:
        raise invalid("You must specify one of amount or pricing.", code="parameter_missing", began=False)
    now = store.now()
    period = params.get("period") or {"end": now, "start": now}
    if invoice_id := params.get("invoice"):
        _of_status(store, invoice_id, "draft", "You cannot add an item to an invoice that is finalized.")
    item = store.make(
        "invoiceitem",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer_id,
            "date": now,
            "invoice": invoice_id,
            "net_amount": amount,
            "period": period,
            "pricing": price
            and {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "quantity": quantity,
            "quantity_decimal": str(quantity),
        }
        | take_params(params, _ITEM, {}),
    )
    if price is None:
        item, _ = store.change("invoiceitem", item["id"], {"pricing": _price_details(amount)})
    store.emit("invoiceitem.created", item)
    _reckon(store, invoice_id)
    return item


def _price_details(amount: int) -> Object:
    return {"type": "price_details", "unit_amount_decimal": str(amount)}


def _reckon(store: ObjectStore, invoice_id: str | None) -> None:
    """Take the items of a draft into its lines."""
    if invoice_id is None:
        return
    invoice = store.living("invoice", invoice_id)
    kept = [line for line in invoice["lines"]["data"] if line["parent"]["type"] != "invoice_item_details"]
    items = [item for item in store.all("invoiceitem") if item["invoice"] == invoice_id][::-1]
    after = with_lines(store, invoice_id, kept + [item_line(store, item) for item in items])
    store.emit("invoice.updated", after, invoice)


@operation("GET /v1/invoiceitems")
def list_items(call: Call) -> Object:
    """List invoice items."""
    params = call.params
    pending = params.get("pending")
    return list_page(
        call,
        (
            item
            for item in call.store.all("invoiceitem")
            if all(item[name] == params[name] for name in ("customer", "invoice") if name in params)
            and pending in {None, item["invoice"] is None}
        ),
        "/v1/invoiceitems",
    )


@operation("GET /v1/invoiceitems/{}")
def retrieve_item(call: Call) -> Object:
    """Fetch an invoice item."""
    return call.store.living("invoiceitem", call.id)


@operation("POST /v1/invoiceitems/{}")
def update_item(call: Call) -> Object:
    """Change an item that no finalized invoice holds."""
    store = call.store
    before = _open_item(store, call.id)
    changes = take_params(call.params, (*_ITEM, "amount"), before)
    if "amount" in changes:
        changes["net_amount"] = changes["amount"]
    after, _ = store.change("invoiceitem", call.id, changes)
    _reckon(store, after["invoice"])
    return after


@operation("DELETE /v1/invoiceitems/{}")
def delete_item(call: Call) -> Object:
    """Delete an item that no finalized invoice holds."""
    before = _open_item(call.store, call.id)
    call.store.remove("invoiceitem", call.id)
    _reckon(call.store, before["invoice"])
    call.store.emit("invoiceitem.deleted", before)
    return {"id": call.id, "object": "invoiceitem", "deleted": True}


def _open_item(store: ObjectStore, item_id: str) -> Object:
    item = store.living("invoiceitem", item_id)
    if item["invoice"] is not None:
        _of_status(store, item["invoice"], "draft", "The invoice of this item is finalized, so it can't be changed.")
    return item
