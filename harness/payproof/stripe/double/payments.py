"""Charging a card: what becomes of a PaymentIntent and its charge."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.books import Books
from payproof.stripe.double.cards import Card
from payproof.stripe.double.errors import ApiError, unexpected_state
from payproof.stripe.double.relations import Object
from payproof.stripe.double.words import decline_message, make_decline

__all__ = ["authenticate", "capture", "charge", "make_intent"]

_AUTHENTICATION = Card("visa", "authentication_required", "authentication_required")


def make_intent(books: Books, values: Mapping[str, Any]) -> Object:
    """Make a PaymentIntent that has not been confirmed."""
    intent = books.make(
        "payment_intent",
        {
            "amount_details": {"tip": {}},
            "capture_method": "automatic_async",
            "customer": None,
            "payment_method": None,
            "payment_method_options": {},
            "setup_future_usage": None,
            "status": "requires_payment_method",
            **values,
        },
        without=("payment_details",),
    )
    books.emit("payment_intent.created", intent)
    return intent


def charge(
    books: Books, intent_id: str, method: Object, *, off_session: bool = False, authenticated: bool = False
) -> tuple[Object, ApiError | None]:
    """Charge a PaymentMethod for a PaymentIntent, and return the intent, and the error where it was declined.

    On a session, a card that asks for authentication leaves the intent in ``requires_action``.
    """
    card = books.cards.find(method["id"]) or Card("visa")
    if card.authentication and not authenticated:
        if off_session:
            card = _AUTHENTICATION
        else:
            return _require_action(books, intent_id, method), None
    if card.code is not None:
        return _fail_payment(books, intent_id, method, card)
    intent = books.living("payment_intent", intent_id)
    manual = intent["capture_method"] == "manual"
    made = _charge(books, intent, method, captured=not manual)
    state = {
        "amount_capturable": intent["amount"] if manual else 0,
        "amount_received": 0 if manual else intent["amount"],
        "last_payment_error": None,
        "latest_charge": made["id"],
        "next_action": None,
        "payment_method": method["id"],
        "status": "requires_capture" if manual else "succeeded",
    }
    intent, _ = books.change("payment_intent", intent_id, state)
    books.emit("charge.succeeded", made)
    books.emit("payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent)
    if card.dispute is not None:
        # Not before the answer: whoever was charged disputes it later, if only by a moment.
        books.schedule(books.now(), "dispute", made["id"])
    return intent, None


def authenticate(books: Books, intent_id: str, *, succeeded: bool) -> Object:
    """Answer the bank's question that a PaymentIntent waits for; raises ApiError where it waits for none."""
    intent = books.living("payment_intent", intent_id, "intent")
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticate", "requires_action")
    method = books.living("payment_method", intent["payment_method"])
    if succeeded:
        return charge(books, intent_id, method, authenticated=True)[0]
    message = "The provided PaymentMethod has failed authentication."
    error = {"code": "payment_intent_authentication_failure", "message": message, "type": "invalid_request_error"}
    state = {
        "last_payment_error": error | {"payment_method": method},
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    intent, _ = books.change("payment_intent", intent_id, state)
    books.emit("payment_intent.payment_failed", intent)
    return intent


def _require_action(books: Books, intent_id: str, method: Object) -> Object:
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    state = {"next_action": action, "payment_method": method["id"], "status": "requires_action"}
    intent, _ = books.change("payment_intent", intent_id, state)
    books.emit("payment_intent.requires_action", intent)
    return intent


def _charge(books: Books, intent: Object, method: Object, *, captured: bool) -> Object:
    details = books.shapes.newest("charge")["payment_method_details"]["card"]
    shown = {name: method["card"][name] for name in details if name in method["card"]}
    made = books.make(
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
            "balance_transaction": books.new_id("txn") if captured else None,
            "billing_details": method["billing_details"],
            "captured": captured,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "metadata": intent["metadata"],
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "receipt_email": intent["receipt_email"],
        },
    )
    amounts = {"amount_authorized": intent["amount"], "overcapture": _overcapture(made, intent)}
    card = made["payment_method_details"]["card"] | shown | amounts
    return books.change("charge", made["id"], {"payment_method_details": {"card": card, "type": "card"}})[0]


def _overcapture(made: Object, intent: Object) -> Object:
    overcapture: Object = made["payment_method_details"]["card"]["overcapture"]
    return overcapture | {"maximum_amount_capturable": intent["amount"]}


def _fail_payment(books: Books, intent_id: str, method: Object, card: Card) -> tuple[Object, ApiError]:
    intent = books.living("payment_intent", intent_id)
    made = _charge(books, intent, method, captured=False)
    message = decline_message(card)
    outcome = made["outcome"] | {
        "network_status": "declined_by_network",
        "reason": card.decline_code,
        "seller_message": f"The bank returned the decline code `{card.decline_code or card.code}`.",
        "type": "issuer_declined",
    }
    failure = {"failure_code": card.code, "failure_message": message, "outcome": outcome, "paid": False}
    made, _ = books.change("charge", made["id"], failure | {"receipt_url": None, "status": "failed"})
    error = make_decline(card, method, {"charge": made["id"]})
    state = {
        "last_payment_error": error.error,
        "latest_charge": made["id"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    intent, _ = books.change("payment_intent", intent_id, state)
    books.emit("charge.failed", made)
    books.emit("payment_intent.payment_failed", intent)
    error.error = error.error | {"payment_intent": intent}
    return intent, error


def capture(books: Books, intent_id: str, amount: int) -> Object:
    """Capture what was authorised, or a part of it; the rest is let go."""
    before = books.living("payment_intent", intent_id)
    changes = {
        "amount_captured": amount,
        "amount_refunded": before["amount"] - amount,
        "balance_transaction": books.new_id("txn"),
        "captured": True,
    }
    made, uncaptured = books.change("charge", before["latest_charge"], changes)
    state = {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    intent, _ = books.change("payment_intent", intent_id, state)
    books.emit("charge.captured", made, uncaptured)
    books.emit("payment_intent.succeeded", intent)
    return intent
