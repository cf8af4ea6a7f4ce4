"""Charging a card: what becomes of a PaymentIntent and its charge."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.balance import book
from payproof.stripe.double.cards import Card
from payproof.stripe.double.errors import ApiError, unexpected_state
from payproof.stripe.double.messages import decline_message, make_decline
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["authenticate", "capture", "charge", "make_intent"]

_AUTHENTICATION = Card("visa", "authentication_required", "authentication_required")


def make_intent(store: ObjectStore, values: Mapping[str, Any]) -> Object:
    """Make a PaymentIntent that has not been confirmed."""
    intent = store.make(
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
    store.emit("payment_intent.created", intent)
    return intent


def charge(
    store: ObjectStore, intent_id: str, method: Object, *, off_session: bool = False, authenticated: bool = False
) -> tuple[Object, ApiError | None]:
    """Charge a PaymentMethod for a PaymentIntent, and return the intent, and the error where it was declined.

    On a session, a card that asks for authentication leaves the intent in ``requires_action``.
    """
    card = store.cards.find(method["id"]) or Card("visa")
    if card.authentication and not authenticated:
        if off_session:
            card = _AUTHENTICATION
        else:
            return _require_action(store, intent_id, method), None
    if card.code is not None:
        return _fail_payment(store, intent_id, method, card)
    intent = store.living("payment_intent", intent_id)
    manual = intent["capture_method"] == "manual"
    made = _charge(store, intent, method, captured=not manual)
    state = {
        "amount_capturable": intent["amount"] if manual else 0,
        "amount_received": 0 if manual else intent["amount"],
        "last_payment_error": None,
        "latest_charge": made["id"],
        "next_action": None,
        "payment_method": method["id"],
        "status": "requires_capture" if manual else "succeeded",
    }
    intent, _ = store.change("payment_intent", intent_id, state)
    store.emit("charge.succeeded", made)
    store.emit("payment_intent.amount_capturable_updated" if manual else "payment_intent.succeeded", intent)
    if card.dispute is not None:
        # Not before the answer: whoever was charged disputes it later, if only by a moment.
        store.schedule(store.now(), "dispute", made["id"])
    return intent, None


def authenticate(store: ObjectStore, intent_id: str, *, succeeded: bool) -> Object:
    """Answer the bank's question that a PaymentIntent waits for; raises ApiError where it waits for none."""
    intent = store.living("payment_intent", intent_id, "intent")
    if intent["status"] != "requires_action":
        raise unexpected_state(intent, "authenticate", "requires_action")
    method = store.living("payment_method", intent["payment_method"])
    if succeeded:
        return charge(store, intent_id, method, authenticated=True)[0]
    message = "The provided PaymentMethod has failed authentication."
    error = {"code": "payment_intent_authentication_failure", "message": message, "type": "invalid_request_error"}
    state = {
        "last_payment_error": error | {"payment_method": method},
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    intent, _ = store.change("payment_intent", intent_id, state)
    store.emit("payment_intent.payment_failed", intent)
    return intent


def _require_action(store: ObjectStore, intent_id: str, method: Object) -> Object:
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    state = {"next_action": action, "payment_method": method["id"], "status": "requires_action"}
    intent, _ = store.change("payment_intent", intent_id, state)
    store.emit("payment_intent.requires_action", intent)
    return intent


def _charge(store: ObjectStore, intent: Object, method: Object, *, captured: bool) -> Object:
    details = store.shapes.newest("charge")["payment_method_details"]["card"]
    shown = {name: method["card"][name] for name in details if name in method["card"]}
    made = store.make(
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
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
    made, _ = store.change("charge", made["id"], {"payment_method_details": {"card": card, "type": "card"}})
    return book(store, made, made["amount"]) if captured else made


def _overcapture(made: Object, intent: Object) -> Object:
    overcapture: Object = made["payment_method_details"]["card"]["overcapture"]
    return overcapture | {"maximum_amount_capturable": intent["amount"]}


def _fail_payment(store: ObjectStore, intent_id: str, method: Object, card: Card) -> tuple[Object, ApiError]:
    intent = store.living("payment_intent", intent_id)
    made = _charge(store, intent, method, captured=False)
    message = decline_message(card)
    outcome = made["outcome"] | {
        "network_status": "declined_by_network",
        "reason": card.decline_code,
        "seller_message": f"The bank returned the decline code `{card.decline_code or card.code}`.",
        "type": "issuer_declined",
    }
    failure = {"failure_code": card.code, "failure_message": message, "outcome": outcome, "paid": False}
    made, _ = store.change("charge", made["id"], failure | {"receipt_url": None, "status": "failed"})
    error = make_decline(card, method, {"charge": made["id"]})
    state = {
        "last_payment_error": error.error,
        "latest_charge": made["id"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    intent, _ = store.change("payment_intent", intent_id, state)
    store.emit("charge.failed", made)
    store.emit("payment_intent.payment_failed", intent)
    error.error = error.error | {"payment_intent": intent}
    return intent, error


def capture(store: ObjectStore, intent_id: str, amount: int) -> Object:
    """Capture what was authorised, or a part of it; the rest is let go."""
    before = store.living("payment_intent", intent_id)
    changes = {
        "amount_captured": amount,
        "amount_refunded": before["amount"] - amount,
        "captured": True,
    }
    made, uncaptured = store.change("charge", before["latest_charge"], changes)
    made = book(store, made, amount)
    state = {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"}
    intent, _ = store.change("payment_intent", intent_id, state)
    store.emit("charge.captured", made, uncaptured)
    store.emit("payment_intent.succeeded", intent)
    return intent
