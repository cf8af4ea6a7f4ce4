"""Subscriptions as they begin, go on and end."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.billing import (
    collect,
    finalize,
    has_method,
    item_line,
    make_invoice,
    pending_items,
    subscription_line,
)
from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.periods import DAY, HOUR, end_of_period
from payproof.stripe.double.relations import Object, sublist
from payproof.stripe.double.store import AfterRetries, ObjectStore

__all__ = [
    "ENDED",
    "begin_trial",
    "bill",
    "cancel",
    "first_invoice",
    "give_up",
    "renew",
    "resume",
    "settle_invoice",
    "with_items",
]

#: The statuses from which there is no way back.
ENDED = frozenset({"canceled", "incomplete_expired"})
_INCOMPLETE_HOURS = 23
_WARNED_DAYS = 3
_TRIAL = "Free trial"


def with_items(store: ObjectStore, subscription_id: str) -> Object:
    """Bring the list of items in a subscription up to date with the items."""
    items = [i for i in store.all("subscription_item") if i["subscription"] == subscription_id][::-1]
    url = f"/v1/subscription_items?subscription={subscription_id}"
    return store.change("subscription", subscription_id, {"items": sublist(url, items)})[0]


def _lines(store: ObjectStore, subscription: Object) -> list[Object]:
    lines = [
        subscription_line(store, item, item["current_period_start"], item["current_period_end"])
        for item in subscription["items"]["data"]
        if item["price"]["recurring"]["usage_type"] == "licensed"
    ]
    if subscription["status"] != "trialing":
        return lines
    return [line | {"amount": 0, "description": _TRIAL, "subtotal": 0} for line in lines]


def bill(store: ObjectStore, subscription_id: str, reason: str, *, whole: bool, **values: Any) -> Object:
    """Make the draft of a subscription's invoice: its pending items, and with ``whole`` the period that begins."""
    subscription = store.living("subscription", subscription_id)
    customer = store.living("customer", subscription["customer"])
    pending = pending_items(store, customer["id"], subscription_id)
    lines = [item_line(store, item) for item in pending]
    if whole:
        lines += _lines(store, subscription)
    days = subscription["days_until_due"]
    invoice = make_invoice(
        store,
        customer,
        {
            "billing_reason": reason,
            "collection_method": subscription["collection_method"],
            "currency": subscription["currency"],
            "default_payment_method": subscription["default_payment_method"],
            "due_date": None if days is None else store.now() + days * 24 * HOUR,
            "subscription": subscription_id,
        }
        | values,
        lines,
    )
    for item in pending:
        store.change("invoiceitem", item["id"], {"invoice": invoice["id"]})
    store.change("subscription", subscription_id, {"latest_invoice": invoice["id"]})
    return invoice


def first_invoice(store: ObjectStore, subscription_id: str, behavior: str) -> ApiError | None:
    """Bill the first period and collect it, as ``payment_behavior`` says; return the decline, if it is one.

    Raises:
        ApiError: there is nothing to pay with.
    """
    invoice = bill(store, subscription_id, "subscription_create", whole=True)
    invoice = finalize(store, invoice["id"])
    subscription = store.living("subscription", subscription_id)
    if invoice["status"] == "paid" or subscription["collection_method"] == "send_invoice":
        store.change("subscription", subscription_id, {"status": "active"})
        return None
    store.schedule(store.now() + _INCOMPLETE_HOURS * HOUR, "incomplete", subscription_id)
    if behavior == "default_incomplete":
        return None
    invoice, error = collect(store, invoice["id"], off_session=behavior == "error_if_incomplete")
    if invoice["status"] == "paid":
        store.change("subscription", subscription_id, {"status": "active"})
    return error


def begin_trial(store: ObjectStore, subscription_id: str) -> None:
    """Bill a trial, for which nothing is due, and see to it that its end is told before it comes."""
    finalize(store, bill(store, subscription_id, "subscription_create", whole=True)["id"])
    end = store.living("subscription", subscription_id)["trial_end"]
    store.schedule(max(end - _WARNED_DAYS * DAY, store.now()), "trial", subscription_id)


def settle_invoice(store: ObjectStore, invoice: Object) -> None:
    """Have a subscription follow what became of its invoice: paid, it is active; not paid, past due."""
    subscription = store.find("subscription", _owner(invoice))
    if subscription is None or subscription["status"] in ENDED:
        return
    status = subscription["status"]
    if invoice["status"] == "paid" and status in {"incomplete", "past_due", "unpaid"}:
        status = "active"
    elif invoice["status"] == "open" and invoice["attempted"] and status == "active":
        status = "past_due"
    after, before = store.change("subscription", subscription["id"], {"status": status})
    store.emit("customer.subscription.updated", after, before)


def renew(store: ObjectStore, subscription_id: str) -> None:
    """Begin the next period of a subscription: its invoice is a draft for an hour, as at Stripe."""
    subscription = store.living("subscription", subscription_id)
    if subscription["cancel_at_period_end"]:
        cancel(store, subscription_id)
        return
    if subscription["status"] == "trialing" and not has_method(store, subscription):
        match subscription["trial_settings"]["end_behavior"]["missing_payment_method"]:
            case "cancel":
                cancel(store, subscription_id)
                return
            case "pause":
                after, before = store.change("subscription", subscription_id, {"status": "paused"})
                store.emit("customer.subscription.updated", after, before)
                store.emit("customer.subscription.paused", after)
                return
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        end = end_of_period(start, item["price"]["recurring"])
        store.change("subscription_item", item["id"], {"current_period_start": start, "current_period_end": end})
        store.schedule(end, "subscription", subscription_id)
    with_items(store, subscription_id)
    if subscription["status"] == "trialing":
        store.change("subscription", subscription_id, {"status": "active"})
    # A draft stays one where nothing is to be collected.
    paused = (subscription["pause_collection"] or {}).get("behavior")
    is_kept = subscription["status"] == "unpaid" or paused == "keep_as_draft"
    at = None if is_kept else store.now() + HOUR
    invoice = bill(
        store,
        subscription_id,
        "subscription_cycle",
        whole=True,
        auto_advance=not is_kept,
        automatically_finalizes_at=at,
        next_payment_attempt=at,
    )
    if at is not None:
        store.schedule(at, "invoice", invoice["id"])
    after = store.living("subscription", subscription_id)
    store.emit("customer.subscription.updated", after, subscription)


def cancel(store: ObjectStore, subscription_id: str, details: Mapping[str, Any] | None = None) -> Object:
    """End a subscription now."""
    before = store.living("subscription", subscription_id)
    now = store.now()
    state = {
        "cancel_at": before["cancel_at"],
        "canceled_at": before["canceled_at"] or now,
        "cancellation_details": before["cancellation_details"]
        | {"reason": "cancellation_requested"}
        | dict(details or {}),
        "ended_at": now,
        "status": "canceled",
    }
    for invoice in list(store.all("invoice")):
        if invoice["status"] in {"draft", "open"} and _owner(invoice) == subscription_id:
            store.change("invoice", invoice["id"], {"auto_advance": False, "next_payment_attempt": None})
    after, _ = store.change("subscription", subscription_id, state)
    store.emit("customer.subscription.deleted", after)
    return after


def _owner(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    owner: str | None = details.get("subscription")
    return owner


def give_up(store: ObjectStore, invoice: Object) -> None:
    """Have a subscription come to what the dashboard says, as no payment of its invoice has succeeded."""
    subscription = store.find("subscription", _owner(invoice))
    if subscription is None or subscription["status"] != "past_due":
        return
    match store.after_retries:
        case AfterRetries.CANCEL:
            cancel(store, subscription["id"], {"reason": "payment_failed"})
        case AfterRetries.UNPAID:
            after, before = store.change("subscription", subscription["id"], {"status": "unpaid"})
            store.emit("customer.subscription.updated", after, before)
        case AfterRetries.LEAVE:
            return


def resume(store: ObjectStore, subscription_id: str) -> Object:
    """Go on with a subscription that was paused at the end of its trial: a new period begins, and is paid first.

    Raises:
        ApiError: it is not paused, or there is nothing to pay with.
    """
    before = store.living("subscription", subscription_id)
    if before["status"] != "paused":
        raise invalid("You can only resume a subscription whose status is paused.")
    now = store.now()
    for item in before["items"]["data"]:
        end = end_of_period(now, item["price"]["recurring"])
        store.change("subscription_item", item["id"], {"current_period_start": now, "current_period_end": end})
        store.schedule(end, "subscription", subscription_id)
    with_items(store, subscription_id)
    invoice = finalize(store, bill(store, subscription_id, "subscription_update", whole=True)["id"])
    invoice, error = collect(store, invoice["id"])
    if error is not None:
        raise error
    status = "active" if invoice["status"] == "paid" else "paused"
    after, _ = store.change("subscription", subscription_id, {"billing_cycle_anchor": now, "status": status})
    store.emit("customer.subscription.updated", after, before)
    if status == "active":
        store.emit("customer.subscription.resumed", after)
    return after
