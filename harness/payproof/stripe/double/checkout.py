"""Checkout and portal sessions: pages of Stripe's, which nobody visits here unless a test completes them."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.catalogue import price_of
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.included import INCLUDED
from payproof.stripe.double.payment_intents import confirm_payment
from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.payments import charge, make_intent
from payproof.stripe.double.periods import DAY
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore
from payproof.stripe.double.subscriptions import create

__all__ = ["complete", "expire", "settle"]

_TAKEN = (
    *("allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "customer_creation"),
    *("customer_email", "locale", "return_url", "submit_type", "success_url"),
)
_HOSTED = frozenset({"hosted", "hosted_page"})


@operation("POST /v1/checkout/sessions")
def create_session(call: Call) -> Object:
    """Open a page on which a customer pays or subscribes."""
    store, params = call.store, call.params
    mode = params.get("mode", "payment")
    hosted = params.get("ui_mode", "hosted_page") in _HOSTED
    if hosted and "success_url" not in params:
        message = "Missing required param: success_url."
        raise invalid(message, code="parameter_missing", param="success_url", began=False)
    customer = params.get("customer")
    if customer is not None:
        store.require("customer", customer, "customer")
        if "customer_email" in params:
            message = "You may only specify one of these parameters: customer, customer_email."
            raise invalid(message, code="parameters_exclusive", began=False)
    items = [_item(store, given, number, mode) for number, given in enumerate(params.get("line_items", ()))]
    if not items and mode != "setup":
        message = "You must specify line_items."
        raise invalid(message, code="parameter_missing", param="line_items", began=False)
    total = sum(item["amount_total"] for item in items)
    now = store.now()
    expires = params.get("expires_at", now + DAY)
    session = store.make(
        "checkout.session",
        {
            "allow_promotion_codes": None,
            "amount_subtotal": total if items else None,
            "amount_total": total if items else None,
            "billing_address_collection": None,
            "cancel_url": None,
            "client_reference_id": None,
            "collected_information": None,
            "currency": items[0]["currency"] if items else (params.get("currency") or "usd").lower(),
            "customer": customer,
            "customer_creation": None if customer else ("if_required" if mode == "payment" else "always"),
            "customer_details": None,
            "customer_email": None,
            "expires_at": expires,
            "mode": mode,
            "payment_method_options": {},
            "payment_status": "unpaid" if total else "no_payment_required",
            "phone_number_collection": {"enabled": False},
            "saved_payment_method_options": None,
            "shipping_address_collection": None,
            "status": "open",
            "ui_mode": "hosted_page" if hosted else params["ui_mode"],
        }
        | ({"client_secret": None} if hosted else {"url": None})
        | take_params(params, _TAKEN, {}),
        without=("branding_settings", "redirect_on_completion", "return_url"),
    )
    store.told[session["id"]] = {name: params.get(name) or {} for name in ("subscription_data", "payment_intent_data")}
    address = f"https://checkout.stripe.com/c/pay/{session['id']}#{store.new_id('fid')}"
    if hosted:
        session, _ = store.change("checkout.session", session["id"], {"url": address})
    for number, item in enumerate(items):
        store.make("item", item | {"id": f"li_{session['id'][-20:]}{number:03d}"})
    store.schedule(expires, "checkout.session", session["id"])
    return session


def _item(store: ObjectStore, given: Mapping[str, Any], number: int, mode: str) -> Object:
    price = price_of(store, given, f"line_items[{number}]")
    if mode == "payment" and price["recurring"] is not None:
        message = "You specified `payment` mode but passed a recurring price."
        raise invalid(message, param="line_items")
    if mode == "subscription" and price["recurring"] is None:
        message = "You must provide at least one recurring price in `subscription` mode."
        raise invalid(message, param="line_items")
    quantity = given.get("quantity", 1)
    total = (price["unit_amount"] or 0) * quantity
    product = store.find("product", price["product"]) or {}
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": price["currency"],
        "description": product.get("name"),
        "price": price,
        "quantity": quantity,
    }


@operation("GET /v1/checkout/sessions")
def list_sessions(call: Call) -> Object:
    """List sessions."""
    params = call.params
    return list_page(
        call,
        (
            session
            for session in call.store.all("checkout.session")
            if all(
                session[name] == params[name]
                for name in ("customer", "payment_intent", "status", "subscription")
                if name in params
            )
        ),
        "/v1/checkout/sessions",
    )


@operation("GET /v1/checkout/sessions/{}")
def retrieve_session(call: Call) -> Object:
    """Fetch a session."""
    return call.store.living("checkout.session", call.id, "session")


@operation("GET /v1/checkout/sessions/{}/line_items")
def list_session_items(call: Call) -> Object:
    """List what a session sells."""
    session = call.store.living("checkout.session", call.id, "session")
    included = INCLUDED["checkout.session", "line_items"](session, call.store) or {}
    return list_page(call, included["data"], included["url"])


@operation("POST /v1/checkout/sessions/{}/expire")
def expire_session(call: Call) -> Object:
    """Close a page that is open."""
    before = call.store.living("checkout.session", call.id, "session")
    if before["status"] != "open":
        raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    return expire(call.store, call.id)


def expire(store: ObjectStore, session_id: str) -> Object:
    """Close a page that nobody completed."""
    state = {"expires_at": store.now(), "status": "expired", "url": None}
    after, _ = store.change("checkout.session", session_id, state)
    store.emit("checkout.session.expired", after)
    return after


def complete(store: ObjectStore, session_id: str, card: str, *, asynchronous: bool = False) -> Object:
    """Pay on a page as a customer would: what is sold comes to be, and the session is complete.

    With ``asynchronous`` the money is still on its way, as with a bank debit.

    Raises:
        ApiError: the card was declined; the page stays open.
    """
    session = store.living("checkout.session", session_id, "session")
    if session["status"] != "open":
        raise invalid("This Checkout Session is no longer open.")
    method = made_of(store, card, "payment_method")
    customer = _customer(store, session, method)
    if customer is not None:
        method = attach(store, method, customer["id"])
    told = store.told.get(session_id, {})
    made: Object = {}
    if session["mode"] == "subscription":
        assert customer is not None
        made = _subscribe(store, session, customer, method, told["subscription_data"])
    elif session["mode"] == "payment":
        made = _bought(store, session, customer, method, told["payment_intent_data"], asynchronous=asynchronous)
    payer = {name: method["billing_details"][name] for name in ("address", "email", "name", "phone")}
    details = {"business_name": None, "individual_name": payer["name"], "tax_exempt": "none", "tax_ids": []} | payer
    paid = session["payment_status"] if session["payment_status"] != "unpaid" else "paid"
    state = {
        "customer": customer and customer["id"],
        "customer_details": details,
        "payment_status": "unpaid" if asynchronous else paid,
        "status": "complete",
        "url": None,
    }
    after, _ = store.change("checkout.session", session_id, state | made)
    store.emit("checkout.session.completed", after)
    return after


def settle(store: ObjectStore, session_id: str, *, succeeded: bool) -> Object:
    """Let the money of an asynchronous payment arrive, or not; raises ApiError where none is on its way."""
    session = store.living("checkout.session", session_id, "session")
    intent = store.find("payment_intent", session["payment_intent"])
    if intent is None or intent["status"] != "processing":
        raise invalid("No payment of this Checkout Session is processing.")
    method = store.living("payment_method", intent["payment_method"])
    if succeeded:
        charge(store, intent["id"], method)
        session, _ = store.change("checkout.session", session_id, {"payment_status": "paid"})
    else:
        state = {"payment_method": None, "status": "requires_payment_method"}
        intent, _ = store.change("payment_intent", intent["id"], state)
        store.emit("payment_intent.payment_failed", intent)
    store.emit(f"checkout.session.async_payment_{'succeeded' if succeeded else 'failed'}", session)
    return session


def _customer(store: ObjectStore, session: Object, method: Object) -> Object | None:
    if session["customer"] is not None:
        return store.living("customer", session["customer"])
    if session["customer_creation"] == "if_required":
        return None
    payer = {name: method["billing_details"][name] for name in ("address", "email", "name", "phone")}
    at_rest: Object = {"balance": 0, "currency": None, "next_invoice_sequence": 1, "preferred_locales": []}
    customer = store.make("customer", at_rest | payer | {"email": session["customer_email"] or payer["email"]})
    store.emit("customer.created", customer)
    return customer


def _items_of(store: ObjectStore, session: Object) -> list[Object]:
    included = INCLUDED["checkout.session", "line_items"](session, store) or {}
    items: list[Object] = included["data"]
    return items


def _subscribe(
    store: ObjectStore, session: Object, customer: Object, method: Object, data: Mapping[str, Any]
) -> Object:
    params = {
        **data,
        "default_payment_method": method["id"],
        "items": [{"price": i["price"]["id"], "quantity": i["quantity"]} for i in _items_of(store, session)],
    }
    subscription, error = create(store, customer, params)
    if error is not None:
        raise error
    return {"invoice": subscription["latest_invoice"], "subscription": subscription["id"]}


def _bought(
    store: ObjectStore,
    session: Object,
    customer: Object | None,
    method: Object,
    data: Mapping[str, Any],
    *,
    asynchronous: bool,
) -> Object:
    intent = make_intent(
        store,
        {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": customer and customer["id"],
        }
        | take_params(data, ("capture_method", "description", "setup_future_usage"), {}),
    )
    if asynchronous:
        state = {"payment_method": method["id"], "status": "processing"}
        intent, _ = store.change("payment_intent", intent["id"], state)
        store.emit("payment_intent.processing", intent)
    else:
        intent = confirm_payment(store, intent, {"payment_method": method["id"]})
    return {"payment_intent": intent["id"]}


@operation("POST /v1/billing_portal/sessions")
def create_portal(call: Call) -> Object:
    """Open a page on which a customer manages cards and subscriptions."""
    params = call.params
    if (customer := params.get("customer")) is None:
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer", began=False)
    call.store.require("customer", customer, "customer")
    configuration = params.get("configuration") or call.store.new_id("bpc")
    given = take_params(params, ("locale", "on_behalf_of", "return_url"), {})
    at_rest = {"configuration": configuration, "customer": customer, "return_url": None}
    return call.store.make("billing_portal.session", at_rest | given)
