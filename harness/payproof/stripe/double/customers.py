"""Customers, and their PaymentMethods."""

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.lifecycle import ENDED, cancel
from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.relations import Object
from payproof.stripe.double.wallet import give_card

_TAKEN = ("address", "balance", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")
_SETTINGS = ("custom_fields", "default_payment_method", "footer")


@operation("POST /v1/customers")
def create_customer(call: Call) -> Object:
    """Create a customer, with a card where a token or a PaymentMethod is given."""
    store, params = call.store, call.params
    customer = store.make(
        "customer",
        {
            "balance": 0,
            "currency": None,
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
            **take_params(params, _TAKEN, {}),
            **_merge_settings(call, {}),
        },
    )
    store.emit("customer.created", customer)
    for name in ("payment_method", "source"):
        if card := params.get(name):
            attach(store, made_of(store, card, name), customer["id"])
    if not {"payment_method", "source"} & params.keys() and store.cards.given is not None:
        give_card(store, customer["id"], store.cards.given)
    if card := params.get("source"):
        give_card(store, customer["id"], card)
    return store.living("customer", customer["id"])


def _merge_settings(call: Call, before: Object) -> Object:
    """Return the settings for invoices, as they are with what the call changes."""
    settings = before.get("invoice_settings") or {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    }
    given = call.params.get("invoice_settings", {})
    changes = {name: given[name] or None for name in _SETTINGS if name in given}
    if method := changes.get("default_payment_method"):
        found = call.store.require("payment_method", method, "invoice_settings[default_payment_method]")
        if found["customer"] not in {before.get("id"), None} or not before:
            raise invalid(
                "The customer does not have a payment method with the ID "
                f"{method}. The payment method must be attached to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
    return {"invoice_settings": settings | changes}


@operation("GET /v1/customers")
def list_customers(call: Call) -> Object:
    """List customers."""
    email = call.params.get("email")
    return list_page(
        call, (c for c in call.store.all("customer") if email is None or c["email"] == email), "/v1/customers"
    )


@operation("GET /v1/customers/{}")
def retrieve_customer(call: Call) -> Object:
    """Fetch a customer; a deleted one is shown as deleted."""
    return call.store.find("customer", call.id) or call.store.living("customer", call.id)


@operation("POST /v1/customers/{}")
def update_customer(call: Call) -> Object:
    """Change a customer."""
    store = call.store
    before = store.living("customer", call.id)
    changes = take_params(call.params, _TAKEN, before) | _merge_settings(call, before)
    after, before = store.change("customer", call.id, changes)
    store.emit("customer.updated", after, before)
    if card := call.params.get("source"):
        give_card(store, call.id, card)
    return store.living("customer", call.id)


@operation("DELETE /v1/customers/{}")
def delete_customer(call: Call) -> Object:
    """Delete a customer, whose subscriptions end at once."""
    store = call.store
    store.living("customer", call.id)
    for subscription in list(store.all("subscription")):
        if subscription["customer"] == call.id and subscription["status"] not in ENDED:
            cancel(store, subscription["id"])
    store.emit("customer.deleted", store.remove("customer", call.id))
    return {"id": call.id, "object": "customer", "deleted": True}


@operation("GET /v1/customers/{}/payment_methods")
def list_customer_methods(call: Call) -> Object:
    """List the PaymentMethods of a customer."""
    store, kind = call.store, call.params.get("type")
    store.living("customer", call.id, "customer")
    return list_page(
        call,
        (m for m in store.all("payment_method") if m["customer"] == call.id and kind in {None, m["type"]}),
        f"/v1/customers/{call.id}/payment_methods",
    )
