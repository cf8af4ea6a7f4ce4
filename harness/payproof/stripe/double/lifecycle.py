"""Subscriptions as they begin, go on and end."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.billing import (
    collect,
    finalize,
    item_line,
    make_invoice,
    pending_items,
    subscription_line,
)
from payproof.stripe.double.books import Books
from payproof.stripe.double.errors import ApiError
from payproof.stripe.double.periods import HOUR, end_of_period
from payproof.stripe.double.relations import Object, page

__all__ = ["ENDED", "bill", "cancel", "first_invoice", "renew", "settle_invoice", "with_items"]

#: The statuses from which there is no way back.
ENDED = frozenset({"canceled", "incomplete_expired"})
_INCOMPLETE_HOURS = 23


def with_items(books: Books, subscription_id: str) -> Object:
    """Bring the list of items in a subscription up to date with the items."""
    items = [i for i in books.all("subscription_item") if i["subscription"] == subscription_id][::-1]
    url = f"/v1/subscription_items?subscription={subscription_id}"
    return books.change("subscription", subscription_id, {"items": page(url, items)})[0]


def _lines(books: Books, subscription: Object) -> list[Object]:
    return [
        subscription_line(books, item, item["current_period_start"], item["current_period_end"])
        for item in subscription["items"]["data"]
        if item["price"]["recurring"]["usage_type"] == "licensed"
    ]


def bill(books: Books, subscription_id: str, reason: str, *, whole: bool, **values: Any) -> Object:
    """Make the draft of a subscription's invoice: its pending items, and with ``whole`` the period that begins."""
    subscription = books.living("subscription", subscription_id)
    customer = books.living("customer", subscription["customer"])
    pending = pending_items(books, customer["id"], subscription_id)
    lines = [item_line(books, item) for item in pending]
    if whole:
        lines += _lines(books, subscription)
    days = subscription["days_until_due"]
    invoice = make_invoice(
        books,
        customer,
        {
            "billing_reason": reason,
            "collection_method": subscription["collection_method"],
            "currency": subscription["currency"],
            "default_payment_method": subscription["default_payment_method"],
            "due_date": None if days is None else books.now() + days * 24 * HOUR,
            "subscription": subscription_id,
        }
        | values,
        lines,
    )
    for item in pending:
        books.change("invoiceitem", item["id"], {"invoice": invoice["id"]})
    books.change("subscription", subscription_id, {"latest_invoice": invoice["id"]})
    return invoice


def first_invoice(books: Books, subscription_id: str, behavior: str) -> ApiError | None:
    """Bill the first period and collect it, as ``payment_behavior`` says; return the decline, if it is one.

    Raises:
        ApiError: there is nothing to pay with.
    """
    invoice = bill(books, subscription_id, "subscription_create", whole=True)
    invoice = finalize(books, invoice["id"])
    subscription = books.living("subscription", subscription_id)
    if invoice["status"] == "paid" or subscription["collection_method"] == "send_invoice":
        books.change("subscription", subscription_id, {"status": "active"})
        return None
    books.schedule(books.now() + _INCOMPLETE_HOURS * HOUR, "incomplete", subscription_id)
    if behavior == "default_incomplete":
        return None
    invoice, error = collect(books, invoice["id"], off_session=behavior == "error_if_incomplete")
    if invoice["status"] == "paid":
        books.change("subscription", subscription_id, {"status": "active"})
    return error


def settle_invoice(books: Books, invoice: Object) -> None:
    """Have a subscription follow what became of its invoice: paid, it is active; not paid, past due."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = books.find("subscription", details.get("subscription"))
    if subscription is None or subscription["status"] in ENDED:
        return
    status = subscription["status"]
    if invoice["status"] == "paid" and status in {"incomplete", "past_due", "unpaid"}:
        status = "active"
    elif invoice["status"] == "open" and invoice["attempted"] and status == "active":
        status = "past_due"
    after, before = books.change("subscription", subscription["id"], {"status": status})
    books.emit("customer.subscription.updated", after, before)


def renew(books: Books, subscription_id: str) -> None:
    """Begin the next period of a subscription: its invoice is a draft for an hour, as at Stripe."""
    subscription = books.living("subscription", subscription_id)
    if subscription["cancel_at_period_end"]:
        cancel(books, subscription_id)
        return
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        end = end_of_period(start, item["price"]["recurring"])
        books.change("subscription_item", item["id"], {"current_period_start": start, "current_period_end": end})
        books.schedule(end, "subscription", subscription_id)
    with_items(books, subscription_id)
    if subscription["status"] == "trialing":
        books.change("subscription", subscription_id, {"status": "active"})
    at = books.now() + HOUR
    invoice = bill(
        books,
        subscription_id,
        "subscription_cycle",
        whole=True,
        automatically_finalizes_at=at,
        next_payment_attempt=at,
    )
    books.schedule(at, "invoice", invoice["id"])
    after = books.living("subscription", subscription_id)
    books.emit("customer.subscription.updated", after, subscription)


def cancel(books: Books, subscription_id: str, details: Mapping[str, Any] | None = None) -> Object:
    """End a subscription now."""
    before = books.living("subscription", subscription_id)
    now = books.now()
    state = {
        "cancel_at": before["cancel_at"],
        "canceled_at": before["canceled_at"] or now,
        "cancellation_details": before["cancellation_details"]
        | {"reason": "cancellation_requested"}
        | dict(details or {}),
        "ended_at": now,
        "status": "canceled",
    }
    after, _ = books.change("subscription", subscription_id, state)
    books.emit("customer.subscription.deleted", after)
    return after
