"""What time brings: periods and trials end, drafts are finalized, payments are tried again, pages expire."""

from payproof.stripe.double.billing import collect, finalize, note_failure
from payproof.stripe.double.charges import settle_refund
from payproof.stripe.double.checkout import expire
from payproof.stripe.double.disputes import decide, find_decision, is_open, open_dispute
from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.invoices import close_invoice
from payproof.stripe.double.lifecycle import ENDED, cancel, give_up, renew, settle_invoice
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["advance", "pass_time"]

_MOST = 1_000  # of happenings at once: a clock that jumps by years is not followed day by day


def pass_time(store: ObjectStore) -> None:
    """Have everything happen whose time has come, by the wall clock and by each test clock."""
    for clock_id in ("", *store.clock_ids):
        with store.at_clock(clock_id):
            for _ in range(_MOST):
                if (due := store.due()) is None:
                    break
                _happen(store, *due)


def advance(store: ObjectStore, clock_id: str, until: int) -> None:
    """Bring a test clock to a time; on the way everything happens at its own time.

    Raises:
        ApiError: it would be too much.
    """
    with store.at_clock(clock_id):
        for _ in range(_MOST):
            if (due := store.due(until)) is None:
                break
            store.set_clock(clock_id, max(due[0], store.now()))
            _happen(store, *due)
        else:
            raise invalid("Too much would happen until then. Advance the test clock in smaller steps.")
        store.set_clock(clock_id, until)


def _happen(store: ObjectStore, at: int, kind: str, object_id: str) -> None:
    found = store.find(_OBJECTS.get(kind, kind), object_id)
    if found is not None and not found.get("deleted"):
        _HAPPENINGS[kind](store, found, at)


def _subscription(store: ObjectStore, subscription: Object, at: int) -> None:
    if subscription["status"] in ENDED or subscription["status"] in {"incomplete", "paused"}:
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
        if (behavior := _pause_of(store, invoice)) in _CLOSED:
            close_invoice(store, invoice, _CLOSED[behavior])
            return
        try:
            # A card that asks for authentication leaves the invoice waiting for that, though nobody is there.
            invoice, _ = collect(store, invoice["id"], off_session=False)
        except ApiError:
            # Nothing to pay with: at Stripe as much a failed payment as a decline.
            invoice = note_failure(store, invoice, "invoice.payment_failed")
    settle_invoice(store, invoice)
    if invoice["status"] == "open" and invoice["attempted"] and invoice["next_payment_attempt"] is None:
        give_up(store, invoice)


def _pause_of(store: ObjectStore, invoice: Object) -> str:
    """Return what becomes of an invoice while the collection of its subscription is paused; empty where it is not."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = store.find("subscription", details.get("subscription")) or {}
    behavior: str = (subscription.get("pause_collection") or {}).get("behavior", "")
    return behavior


def _trial(store: ObjectStore, subscription: Object, _at: int) -> None:
    if subscription["status"] == "trialing":
        store.emit("customer.subscription.trial_will_end", subscription)


def _resumption(store: ObjectStore, subscription: Object, at: int) -> None:
    paused = subscription["pause_collection"]
    if paused and paused["resumes_at"] == at:
        after, before = store.change("subscription", subscription["id"], {"pause_collection": None})
        store.emit("customer.subscription.updated", after, before)


def _session(store: ObjectStore, session: Object, _at: int) -> None:
    if session["status"] == "open":
        expire(store, session["id"])


def _dispute(store: ObjectStore, charge: Object, _at: int) -> None:
    card = store.cards.find(charge["payment_method"])
    if card is not None and card.dispute is not None and not charge["disputed"]:
        open_dispute(store, charge, card.dispute)


def _decision(store: ObjectStore, dispute: Object, _at: int) -> None:
    won = find_decision(dispute)
    if won is not None and is_open(dispute):
        decide(store, dispute["id"], won=won)


def _refund(store: ObjectStore, refund: Object, _at: int) -> None:
    card = store.cards.find(refund["payment_method"])
    settle_refund(store, refund, failed=card is not None and card.refund == "failed")


#: What becomes of an invoice by what a pause says.
_CLOSED = {"mark_uncollectible": "uncollectible", "void": "void"}
_OBJECTS = {
    "decision": "dispute",
    "dispute": "charge",
    "incomplete": "subscription",
    "resumption": "subscription",
    "trial": "subscription",
}
_HAPPENINGS = {
    "checkout.session": _session,
    "decision": _decision,
    "dispute": _dispute,
    "incomplete": _incomplete,
    "invoice": _invoice,
    "refund": _refund,
    "resumption": _resumption,
    "subscription": _subscription,
    "trial": _trial,
}
