"""PaymentMethods: cards, made of Stripe's test cards; a card number is refused, as Stripe refuses one."""

from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import ApiError, invalid, missing
from payproof.stripe.double.messages import make_decline
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["attach", "made_of"]


@operation("POST /v1/payment_methods")
def create_method(call: Call) -> Object:
    """Make a PaymentMethod of a token."""
    params = call.params
    token = (params.get("card") or {}).get("token")
    if params.get("type", "card") != "card" or token is None:
        if "card" in params:
            raise _number_refused()
        raise invalid("Missing required param: card[token].", code="parameter_missing", param="card[token]")
    method = made_of(call.store, token, "card[token]")
    details = params.get("billing_details") or {}
    known = {name: details[name] or None for name in ("address", "email", "name", "phone") if name in details}
    changes = take_params(params, (), {}) | {"billing_details": method["billing_details"] | known}
    return call.store.change("payment_method", method["id"], changes)[0]


def _number_refused() -> ApiError:
    message = (
        "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens "
        "that map to the test card you are using."
    )
    return ApiError(402, "invalid_request_error", message, began=False)


@operation("GET /v1/payment_methods")
def list_methods(call: Call) -> Object:
    """List PaymentMethods, of a customer or of nobody's."""
    params = call.params
    return list_page(
        call,
        (
            method
            for method in call.store.all("payment_method")
            if all(method[name] == params[name] for name in ("customer", "type") if name in params)
        ),
        "/v1/payment_methods",
    )


@operation("GET /v1/payment_methods/{}")
def retrieve_method(call: Call) -> Object:
    """Fetch a PaymentMethod."""
    return made_of(call.store, call.id, "payment_method", status=404)


@operation("POST /v1/payment_methods/{}")
def update_method(call: Call) -> Object:
    """Change the metadata and billing details of a PaymentMethod that is attached."""
    store = call.store
    before = store.living("payment_method", call.id)
    if before["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    details = call.params.get("billing_details") or {}
    known = {name: details[name] or None for name in ("address", "email", "name", "phone") if name in details}
    changes = take_params(call.params, (), before) | {"billing_details": before["billing_details"] | known}
    after, before = store.change("payment_method", call.id, changes)
    store.emit("payment_method.updated", after, before)
    return after


@operation("POST /v1/payment_methods/{}/attach")
def attach_method(call: Call) -> Object:
    """Attach a PaymentMethod to a customer, who then can be charged again and again."""
    customer = call.params.get("customer")
    if customer is None:
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer", began=False)
    call.store.require("customer", customer, "customer")
    return attach(call.store, made_of(call.store, call.id, "payment_method", status=404), customer)


@operation("POST /v1/payment_methods/{}/detach")
def detach_method(call: Call) -> Object:
    """Detach a PaymentMethod, which then can be charged no more."""
    store = call.store
    before = store.living("payment_method", call.id)
    if before["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    after, before = store.change("payment_method", call.id, {"customer": None})
    customer = store.find("customer", before["customer"])
    if customer and (customer.get("invoice_settings") or {}).get("default_payment_method") == call.id:
        settings = customer["invoice_settings"] | {"default_payment_method": None}
        store.emit("customer.updated", *store.change("customer", customer["id"], {"invoice_settings": settings}))
    store.emit("payment_method.detached", after, before)
    return after


def made_of(store: ObjectStore, name: str, param: str, *, status: int = 400) -> Object:
    """Return the PaymentMethod of an id, or a new one of a test card; raises ApiError where there is neither."""
    if (found := store.find("payment_method", name)) is not None:
        return found
    card = store.cards.find(name)
    if card is None:
        raise missing("PaymentMethod", name, param, status=status)
    method = store.make("payment_method", payer=store.has_payer)
    brand = {"brand": card.brand, "display_brand": card.brand, "networks": _networks(card.brand)}
    changes: dict[str, Any] = {"card": method["card"] | brand, "customer": None, "metadata": {}}
    store.cards.note(method["id"], card)
    return store.change("payment_method", method["id"], changes | {"created": store.now()})[0]


def _networks(brand: str) -> Object:
    return {"available": [brand], "preferred": None}


def attach(store: ObjectStore, method: Object, customer_id: str) -> Object:
    """Attach a PaymentMethod to a customer; raises ApiError where it is another's, or a card that is declined."""
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    card = store.cards.find(method["id"])
    if card is not None and card.code is not None and not card.attaches:
        raise make_decline(card, method)
    after, before = store.change("payment_method", method["id"], {"customer": customer_id})
    store.emit("payment_method.attached", after, before)
    return after
