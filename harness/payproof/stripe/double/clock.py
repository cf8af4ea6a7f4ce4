"""What time brings: periods and trials end, drafts are finalized, payments are tried again, pages expire."""

from payproof.stripe.double.billing import collect, finalize
from payproof.stripe.double.charges import settle_refund
from payproof.stripe.double.checkout import expire
from payproof.stripe.double.disputes import open_dispute
from payproof.stripe.double.errors import ApiError
from payproof.stripe.double.lifecycle import ENDED, cancel, renew, settle_invoice
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["pass_time"]

_MOST = 1_000  # of happenings at once: a clock that jumps by years is not followed day by day


def pass_time(store: ObjectStore) -> None:
    """Have everything happen whose time has come."""
    for _ in range(_MOST):
        if (due := store.due()) is None:
            return
        at, kind, object_id = due
        found = store.find(_OBJECTS.get(kind, kind), object_id)
        if found is not None and not found.get("deleted"):
            _HAPPENINGS[kind](store, found, at)


def _subscription(store: ObjectStore, subscription: Object, at: int) -> None:
    if subscription["status"] in ENDED or subscription["status"] == "incomplete":
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= at:
        cancel(store, subscription["id"])
    elif subscription["items"]["data"][0]["current_period_end"] <= at:
        renew(store, subscription["id"])


def _incomplete(store: ObjectStore, subscription: Object, _at: int) -> None:
    if subscription["status"] != "incomplete":
        return
    state = {"ended_at": store.now(), "status": "incomplete_expired"}
    after, before = store.change("subscription", subscription["id"], state)
    invoice, _ = store.change("invoice", subscription["latest_invoice"], {"status": "void"})
    store.emit("invoice.voided", invoice)
    store.emit("customer.subscription.updated", after, before)


def _invoice(store: ObjectStore, invoice: Object, _at: int) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        invoice = finalize(store, invoice["id"])
    elif invoice["status"] != "open" or invoice["next_payment_attempt"] is None:
        return
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        try:
            invoice, _ = collect(store, invoice["id"])
        except ApiError:
            # Nothing to pay with: at Stripe as much a failed payment as a decline.
            state = {"attempt_count": invoice["attempt_count"] + 1, "attempted": True, "next_payment_attempt": None}
            invoice, _ = store.change("invoice", invoice["id"], state)
            store.emit("invoice.payment_failed", invoice)
    settle_invoice(store, invoice)


def _session(store: ObjectStore, session: Object, _at: int) -> None:
    if session["status"] == "open":
        expire(store, session["id"])


def _dispute(store: ObjectStore, charge: Object, _at: int) -> None:
    card = store.cards.find(charge["payment_method"])
    if card is not None and card.dispute is not None and not charge["disputed"]:
        open_dispute(store, charge, card.dispute)


def _refund(store: ObjectStore, refund: Object, _at: int) -> None:
    card = store.cards.find(refund["payment_method"])
    settle_refund(store, refund, failed=card is not None and card.refund == "failed")


_OBJECTS = {"dispute": "charge", "incomplete": "subscription"}
_HAPPENINGS = {
    "checkout.session": _session,
    "dispute": _dispute,
    "incomplete": _incomplete,
    "invoice": _invoice,
    "refund": _refund,
    "subscription": _subscription,
}
