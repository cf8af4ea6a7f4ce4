"""Charges, refunds and disputes."""

from payproof.stripe.double.balance import book
from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.payment_intents import confirm_payment
from payproof.stripe.double.payments import capture, make_intent
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore
from payproof.stripe.double.wallet import default_method

__all__ = ["refund_charge", "settle_refund"]

_CHARGE = ("description", "receipt_email", "shipping", "transfer_group")


@operation("POST /v1/charges")
def create_charge(call: Call) -> Object:
    """Charge a token or a customer, the way of before PaymentIntents."""
    store, params = call.store, call.params
    for name in ("amount", "currency"):
        if name not in params:
            raise invalid(f"Missing required param: {name}.", code="parameter_missing", param=name, began=False)
    customer = params.get("customer")
    if customer is not None:
        store.require("customer", customer, "customer")
    source = params.get("source") or (customer and default_method(store, customer))
    if not source:
        raise invalid("Must provide source or customer.", code="parameter_missing", began=False)
    manual = params.get("capture", True) is False
    intent = make_intent(
        store,
        {
            "amount": params["amount"],
            "capture_method": "manual" if manual else "automatic_async",
            "currency": params["currency"].lower(),
            "customer": customer,
        }
        | take_params(params, _CHARGE, {}),
    )
    paid = confirm_payment(store, intent, {"payment_method": source, "off_session": True})
    return store.living("charge", paid["latest_charge"])


@operation("GET /v1/charges")
def list_charges(call: Call) -> Object:
    """List charges."""
    params = call.params
    return list_page(
        call,
        (
            charge
            for charge in call.store.all("charge")
            if all(charge[name] == params[name] for name in ("customer", "payment_intent") if name in params)
        ),
        "/v1/charges",
    )


@operation("GET /v1/charges/{}")
def retrieve_charge(call: Call) -> Object:
    """Fetch a charge."""
    return call.store.living("charge", call.id)


@operation("POST /v1/charges/{}")
def update_charge(call: Call) -> Object:
    """Change what of a charge may change."""
    before = call.store.living("charge", call.id)
    after, before = call.store.change("charge", call.id, take_params(call.params, _CHARGE, before))
    call.store.emit("charge.updated", after, before)
    return after


@operation("POST /v1/charges/{}/capture")
def capture_charge(call: Call) -> Object:
    """Capture a charge that was authorised."""
    before = call.store.living("charge", call.id)
    if before["captured"] or before["status"] != "succeeded":
        raise invalid(f"Charge {call.id} has already been captured.", code="charge_already_captured")
    amount = call.params.get("amount", before["amount"])
    if not 0 < amount <= before["amount"]:
        raise invalid("You cannot capture more than was authorized.", code="amount_too_large", param="amount")
    capture(call.store, before["payment_intent"], amount)
    return call.store.living("charge", call.id)


@operation("POST /v1/refunds")
def create_refund(call: Call) -> Object:
    """Pay back a charge, or the charge of a PaymentIntent, whole or in part."""
    store, params = call.store, call.params
    if intent_id := params.get("payment_intent"):
        intent = store.require("payment_intent", intent_id, "payment_intent")
        charge_id = intent["latest_charge"]
        if charge_id is None:
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise invalid(message, param="payment_intent")
    elif not (charge_id := params.get("charge")):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(message, code="parameter_missing", began=False)
    charge = store.require("charge", charge_id, "charge")
    refund = refund_charge(store, charge, params.get("amount"), params.get("reason"))
    return store.change("refund", refund["id"], take_params(params, (), refund))[0]


def refund_charge(store: ObjectStore, charge: Object, amount: int | None, reason: str | None) -> Object:
    """Pay back an amount of a charge, or with None all that is left."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if charge["status"] != "succeeded":
        raise invalid("This charge cannot be refunded, as it has not succeeded.", code="charge_not_refundable")
    if charge["refunded"]:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not charge["captured"]:
        raise invalid("This charge has not been captured.", code="charge_not_refundable")
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, code="amount_too_large", param="amount")
    card = store.cards.find(charge["payment_method"])
    status = "succeeded" if card is None else card.refund
    refund = store.make(
        "refund",
        {
            "amount": amount,
            "charge": charge["id"],
            "currency": charge["currency"],
            "customer": charge["customer"],
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            # A refund that fails is one that seemed to succeed.
            "status": "pending" if status == "pending" else "succeeded",
        },
        without=("description", "instructions_email"),
    )
    refund = book(store, refund, amount)
    refunded = charge["amount_refunded"] + amount
    after, before = store.change(
        "charge", charge["id"], {"amount_refunded": refunded, "refunded": refunded == charge["amount_captured"]}
    )
    store.emit("refund.created", refund)
    store.emit("charge.refunded", after, before)
    if status != "succeeded":
        store.schedule(store.now(), "refund", refund["id"])
    return refund


def settle_refund(store: ObjectStore, refund: Object, *, failed: bool) -> None:
    """Let the money of a refund arrive, or come back."""
    if failed:
        changes = {"failure_reason": "unknown", "status": "failed"}
        charge = store.living("charge", refund["charge"])
        left = charge["amount_refunded"] - refund["amount"]
        store.change("charge", charge["id"], {"amount_refunded": left, "refunded": False})
    else:
        changes = {"status": "succeeded"}
    after, before = store.change("refund", refund["id"], changes)
    store.emit("refund.updated", after, before)
    if failed:
        store.emit("refund.failed", after)


@operation("GET /v1/refunds")
def list_refunds(call: Call) -> Object:
    """List refunds."""
    params = call.params
    return list_page(
        call,
        (
            refund
            for refund in call.store.all("refund")
            if all(refund[name] == params[name] for name in ("charge", "payment_intent") if name in params)
        ),
        "/v1/refunds",
    )


@operation("GET /v1/refunds/{}")
def retrieve_refund(call: Call) -> Object:
    """Fetch a refund."""
    return call.store.living("refund", call.id)


@operation("POST /v1/refunds/{}")
def update_refund(call: Call) -> Object:
    """Change the metadata of a refund."""
    before = call.store.living("refund", call.id)
    after, before = call.store.change("refund", call.id, take_params(call.params, (), before))
    call.store.emit("refund.updated", after, before)
    return after
