"""PaymentIntents."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.billing import mark_paid
from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid, unexpected_state
from payproof.stripe.double.lifecycle import settle_invoice
from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.payments import capture, charge, make_intent
from payproof.stripe.double.relations import Object, invoice_of_intent
from payproof.stripe.double.store import ObjectStore

__all__ = ["confirm_payment"]

_TAKEN = (
    *("amount", "description", "payment_method_types", "receipt_email", "setup_future_usage", "shipping"),
    *("statement_descriptor", "statement_descriptor_suffix", "transfer_group"),
)
_LEAST = 50  # Stripe's minimum of most currencies, in their smallest unit
_MOST = 99_999_999
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture", "processing")


@operation("POST /v1/payment_intents")
def create_intent(call: Call) -> Object:
    """Create a PaymentIntent, and confirm it where ``confirm`` says so."""
    store, params = call.store, call.params
    amount = _amount(params["amount"])
    if customer := params.get("customer"):
        store.require("customer", customer, "customer")
    if "off_session" in params and not params.get("confirm"):
        raise invalid("You cannot use `off_session` without `confirm=true`.", param="off_session", began=False)
    automatic = params.get("automatic_payment_methods")
    values = {
        "amount": amount,
        "automatic_payment_methods": automatic
        and {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": automatic["enabled"]},
        "capture_method": params.get("capture_method", "automatic_async"),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "currency": params["currency"].lower(),
        "customer": customer,
    }
    intent = make_intent(store, values | take_params(params, _TAKEN, {}))
    if method := params.get("payment_method"):
        found = made_of(store, method, "payment_method")
        state = {"payment_method": found["id"], "status": "requires_confirmation"}
        intent, _ = store.change("payment_intent", intent["id"], state)
    return confirm_payment(store, intent, params) if params.get("confirm") else intent


def _amount(amount: int) -> int:
    if amount < _LEAST:
        message = "The amount must be greater than or equal to the minimum charge amount allowed for your account."
        raise invalid(message, code="amount_too_small", param="amount", began=False)
    if amount > _MOST:
        raise invalid("Amount must be no more than $999,999.99", code="amount_too_large", param="amount", began=False)
    return amount


def confirm_payment(store: ObjectStore, intent: Object, params: Mapping[str, Any]) -> Object:
    """Confirm a PaymentIntent; a decline leaves its traces, and is raised as ApiError."""
    if intent["status"] not in _CONFIRMABLE:
        raise unexpected_state(intent, "confirm", "requires_payment_method, requires_confirmation or requires_action")
    name = params.get("payment_method") or intent["payment_method"]
    if name is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(message, code="payment_intent_unexpected_state")
    method = made_of(store, name, "payment_method")
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise invalid("The payment method you provided has been attached to another customer.", param="payment_method")
    off_session = params.get("off_session") not in {None, False}
    intent, error = charge(store, intent["id"], method, off_session=off_session)
    if error is not None:
        store.commit()
        raise error
    if intent["setup_future_usage"] and intent["customer"] and intent["status"] != "requires_action":
        attach(store, method, intent["customer"])
    if intent["status"] == "succeeded" and (invoice_id := invoice_of_intent(intent)) is not None:
        settle_invoice(store, mark_paid(store, invoice_id))
    return intent


@operation("GET /v1/payment_intents")
def list_intents(call: Call) -> Object:
    """List PaymentIntents."""
    customer = call.params.get("customer")
    return list_page(
        call,
        (i for i in call.store.all("payment_intent") if customer in {None, i["customer"]}),
        "/v1/payment_intents",
    )


@operation("GET /v1/payment_intents/{}")
def retrieve_intent(call: Call) -> Object:
    """Fetch a PaymentIntent, by its secret only if it is the right one."""
    found = call.store.living("payment_intent", call.id, "intent")
    if call.params.get("client_secret", found["client_secret"]) != found["client_secret"]:
        message = "The client_secret provided does not match any associated PaymentIntent on this account."
        raise invalid(message, code="payment_intent_invalid_parameter", param="client_secret")
    return found


@operation("POST /v1/payment_intents/{}")
def update_intent(call: Call) -> Object:
    """Change a PaymentIntent that has not been paid."""
    store, params = call.store, call.params
    before = store.living("payment_intent", call.id, "intent")
    if before["status"] in {"succeeded", "canceled", "processing"} and params.keys() - {"metadata", "description"}:
        raise unexpected_state(before, "update", "requires_payment_method, requires_confirmation or requires_action")
    changes = take_params(params, (*_TAKEN, "customer"), before)
    if "amount" in changes:
        _amount(changes["amount"])
    if customer := changes.get("customer"):
        store.require("customer", customer, "customer")
    if "currency" in params:
        changes["currency"] = params["currency"].lower()
    if method := params.get("payment_method"):
        changes |= {
            "payment_method": made_of(store, method, "payment_method")["id"],
            "status": "requires_confirmation",
        }
    return store.change("payment_intent", call.id, changes)[0]


@operation("POST /v1/payment_intents/{}/confirm")
def confirm_intent(call: Call) -> Object:
    """Confirm a PaymentIntent."""
    return confirm_payment(call.store, call.store.living("payment_intent", call.id, "intent"), call.params)


@operation("POST /v1/payment_intents/{}/capture")
def capture_intent(call: Call) -> Object:
    """Capture a PaymentIntent that was authorised."""
    before = call.store.living("payment_intent", call.id, "intent")
    if before["status"] != "requires_capture":
        raise unexpected_state(before, "capture", "requires_capture")
    amount = call.params.get("amount_to_capture", before["amount_capturable"])
    if not 0 < amount <= before["amount_capturable"]:
        message = "The amount_to_capture must be greater than 0 and no more than the amount capturable."
        raise invalid(message, code="amount_too_large", param="amount_to_capture")
    return capture(call.store, call.id, amount)


@operation("POST /v1/payment_intents/{}/cancel")
def cancel_intent(call: Call) -> Object:
    """Cancel a PaymentIntent that has not been paid."""
    store = call.store
    before = store.living("payment_intent", call.id, "intent")
    if before["status"] not in _CANCELABLE:
        raise unexpected_state(before, "cancel", ", ".join(_CANCELABLE))
    state = {
        "amount_capturable": 0,
        "canceled_at": store.now(),
        "cancellation_reason": call.params.get("cancellation_reason"),
        "next_action": None,
        "status": "canceled",
    }
    after, _ = store.change("payment_intent", call.id, state)
    store.emit("payment_intent.canceled", after)
    return after
