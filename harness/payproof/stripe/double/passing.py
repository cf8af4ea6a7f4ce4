"""What time brings: periods and trials end, drafts are finalized, payments are tried again, pages expire."""

from payproof.stripe.double.billing import collect, finalize
from payproof.stripe.double.books import Books
from payproof.stripe.double.charges import settle_refund
from payproof.stripe.double.checkout import expire
from payproof.stripe.double.disputes import open_dispute
from payproof.stripe.double.errors import ApiError
from payproof.stripe.double.lifecycle import ENDED, cancel, renew, settle_invoice
from payproof.stripe.double.relations import Object

__all__ = ["pass_time"]

_MOST = 1_000  # of happenings at once: a clock that jumps by years is not followed day by day


def pass_time(books: Books) -> None:
    """Have everything happen whose time has come."""
    for _ in range(_MOST):
        if (due := books.due()) is None:
            return
        at, kind, object_id = due
        found = books.find(_OBJECTS.get(kind, kind), object_id)
        if found is not None and not found.get("deleted"):
            _HAPPENINGS[kind](books, found, at)


def _subscription(books: Books, subscription: Object, at: int) -> None:
    if subscription["status"] in ENDED or subscription["status"] == "incomplete":
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= at:
        cancel(books, subscription["id"])
    elif subscription["items"]["data"][0]["current_period_end"] <= at:
        renew(books, subscription["id"])


def _incomplete(books: Books, subscription: Object, _at: int) -> None:
    if subscription["status"] != "incomplete":
        return
    state = {"ended_at": books.now(), "status": "incomplete_expired"}
    after, before = books.change("subscription", subscription["id"], state)
    invoice, _ = books.change("invoice", subscription["latest_invoice"], {"status": "void"})
    books.emit("invoice.voided", invoice)
    books.emit("customer.subscription.updated", after, before)


def _invoice(books: Books, invoice: Object, _at: int) -> None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        invoice = finalize(books, invoice["id"])
    elif invoice["status"] != "open" or invoice["next_payment_attempt"] is None:
        return
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        try:
            invoice, _ = collect(books, invoice["id"])
        except ApiError:
            # Nothing to pay with: at Stripe as much a failed payment as a decline.
            state = {"attempt_count": invoice["attempt_count"] + 1, "attempted": True, "next_payment_attempt": None}
            invoice, _ = books.change("invoice", invoice["id"], state)
            books.emit("invoice.payment_failed", invoice)
    settle_invoice(books, invoice)


def _session(books: Books, session: Object, _at: int) -> None:
    if session["status"] == "open":
        expire(books, session["id"])


def _dispute(books: Books, charge: Object, _at: int) -> None:
    card = books.cards.find(charge["payment_method"])
    if card is not None and card.dispute is not None and not charge["disputed"]:
        open_dispute(books, charge, card.dispute)


def _refund(books: Books, refund: Object, _at: int) -> None:
    card = books.cards.find(refund["payment_method"])
    settle_refund(books, refund, failed=card is not None and card.refund == "failed")


_OBJECTS = {"dispute": "charge", "incomplete": "subscription"}
_HAPPENINGS = {
    "checkout.session": _session,
    "dispute": _dispute,
    "incomplete": _incomplete,
    "invoice": _invoice,
    "refund": _refund,
    "subscription": _subscription,
}
