"""SetupIntents: a card is kept for later, and nothing is paid."""

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.messages import make_decline
from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.relations import Object

_TAKEN = ("customer", "description", "usage")
_OPEN = frozenset({"requires_action", "requires_confirmation", "requires_payment_method"})


@operation("POST /v1/setup_intents")
def create_intent(call: Call) -> Object:
    """Create a SetupIntent, and with ``confirm`` keep its card at once."""
    store, params = call.store, call.params
    if customer := params.get("customer"):
        store.require("customer", customer, "customer")
    values = {"status": "requires_payment_method", **take_params(params, _TAKEN, {})}
    intent = store.make("setup_intent", values)
    store.emit("setup_intent.created", intent)
    intent = _take_method(call, intent)
    return _confirm(call, intent) if params.get("confirm") else intent


def _take_method(call: Call, intent: Object) -> Object:
    if (name := call.params.get("payment_method")) is None:
        return intent
    method = made_of(call.store, name, "payment_method")
    changes = {"payment_method": method["id"], "status": "requires_confirmation"}
    return call.store.change("setup_intent", intent["id"], changes)[0]


def _confirm(call: Call, intent: Object) -> Object:
    store = call.store
    if intent["payment_method"] is None:
        message = "You cannot confirm this SetupIntent because it's missing a payment method."
        raise invalid(message, code="setup_intent_unexpected_state", param="payment_method")
    method = made_of(store, intent["payment_method"], "payment_method")
    card = store.cards.find(method["id"])
    if card is not None and card.code is not None and not card.attaches:
        raise make_decline(card, method)
    if intent["customer"] is not None:
        attach(store, method, intent["customer"])
    after, _ = store.change("setup_intent", intent["id"], {"status": "succeeded"})
    store.emit("setup_intent.succeeded", after)
    return after


@operation("GET /v1/setup_intents")
def list_intents(call: Call) -> Object:
    """List SetupIntents."""
    return list_page(call, call.store.all("setup_intent"), "/v1/setup_intents")


@operation("GET /v1/setup_intents/{}")
def retrieve_intent(call: Call) -> Object:
    """Fetch a SetupIntent."""
    return call.store.living("setup_intent", call.id)


@operation("POST /v1/setup_intents/{}")
def update_intent(call: Call) -> Object:
    """Change a SetupIntent that is still open."""
    before = _open_intent(call)
    after, _ = call.store.change("setup_intent", call.id, take_params(call.params, _TAKEN, before))
    return _take_method(call, after)


@operation("POST /v1/setup_intents/{}/confirm")
def confirm_intent(call: Call) -> Object:
    """Keep the card."""
    return _confirm(call, _take_method(call, _open_intent(call)))


@operation("POST /v1/setup_intents/{}/cancel")
def cancel_intent(call: Call) -> Object:
    """Give a SetupIntent up."""
    _open_intent(call)
    reason = call.params.get("cancellation_reason")
    after, _ = call.store.change("setup_intent", call.id, {"cancellation_reason": reason, "status": "canceled"})
    call.store.emit("setup_intent.canceled", after)
    return after


def _open_intent(call: Call) -> Object:
    intent = call.store.living("setup_intent", call.id)
    if intent["status"] not in _OPEN:
        message = f"You cannot act on this SetupIntent because it has a status of {intent['status']}."
        raise invalid(message, code="setup_intent_unexpected_state")
    return intent
