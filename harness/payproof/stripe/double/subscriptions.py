"""Subscriptions and their items."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.catalogue import price_of
from payproof.stripe.double.errors import ApiError, invalid, missing
from payproof.stripe.double.lifecycle import ENDED, begin_trial, cancel, first_invoice, resume, with_items
from payproof.stripe.double.payment_methods import made_of
from payproof.stripe.double.periods import DAY, end_of_period
from payproof.stripe.double.plans import change_items
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["create"]

_TAKEN = ("collection_method", "days_until_due", "description", "on_behalf_of")
_MOST_ITEMS = 20


@operation("POST /v1/subscriptions")
def create_subscription(call: Call) -> Object:
    """Create a subscription; what becomes of it when the first payment fails, ``payment_behavior`` says."""
    store, params = call.store, call.params
    if (customer := params.get("customer")) is None:
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer", began=False)
    subscription, error = create(store, store.require("customer", customer, "customer"), params)
    if error is not None and params.get("payment_behavior") == "error_if_incomplete":
        raise error
    return subscription


def create(store: ObjectStore, customer: Object, params: Mapping[str, Any]) -> tuple[Object, ApiError | None]:
    """Create a subscription of a customer, and return it and the decline of its first payment, if there was one."""
    items = params.get("items") or []
    if not items:
        raise invalid("Missing required param: items.", code="parameter_missing", param="items", began=False)
    if len(items) > _MOST_ITEMS:
        raise invalid(f"A subscription can have at most {_MOST_ITEMS} items.", param="items")
    prices = [price_of(store, item, f"items[{number}]", recurring=True) for number, item in enumerate(items)]
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("The price specified only supports one currency.", param="items")
    now, place = store.now(), store.written
    trial_end = _trial_end(params, now)
    subscription = store.make(
        "subscription",
        {
            "billing_cycle_anchor": trial_end or now,
            "currency": prices[0]["currency"],
            "customer": customer["id"],
            "default_payment_method": _method(store, params, customer),
            "start_date": now,
            "status": "trialing" if trial_end else "incomplete",
            "trial_end": trial_end,
            "trial_start": now if trial_end else None,
        }
        | ({"trial_settings": settings} if (settings := params.get("trial_settings")) else {})
        | take_params(params, _TAKEN, {}),
    )
    for item, price in zip(items, prices, strict=True):
        _add_item(store, subscription["id"], item, price, trial_end)
    subscription = with_items(store, subscription["id"])
    if customer["currency"] not in {None, subscription["currency"]}:
        message = (
            "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or "
            f"invoice item with currency {customer['currency']}"
        )
        raise invalid(message)
    if customer["currency"] is None:
        store.change("customer", customer["id"], {"currency": subscription["currency"]})
    store.schedule(subscription["items"]["data"][0]["current_period_end"], "subscription", subscription["id"])
    error = None
    if trial_end:
        begin_trial(store, subscription["id"])
    else:
        error = first_invoice(store, subscription["id"], params.get("payment_behavior", "allow_incomplete"))
    if params.get("cancel_at_period_end"):
        store.change("subscription", subscription["id"], _ending(store, subscription["id"], ends=True))
    subscription = store.living("subscription", subscription["id"])
    store.emit("customer.subscription.created", subscription, place=place)
    return subscription, error


def _trial_end(params: Mapping[str, Any], now: int) -> int | None:
    end, days = params.get("trial_end"), params.get("trial_period_days")
    if days is not None and end is not None:
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise invalid(message, code="parameters_exclusive", began=False)
    if days is not None:
        return now + days * DAY if days > 0 else None
    if end is None or end == "now":
        return None
    if end <= now:
        raise invalid("The trial_end must be in the future.", param="trial_end")
    return int(end)


def _method(store: ObjectStore, params: Mapping[str, Any], owner: Object) -> str | None:
    if not (name := params.get("default_payment_method")):
        return None
    method = made_of(store, name, "default_payment_method")
    if method["customer"] != owner["id"]:
        message = (
            f"The customer does not have a payment method with the ID {name}. "
            "The payment method must be attached to the customer."
        )
        raise invalid(message, code="resource_missing", param="default_payment_method")
    return str(method["id"])


def _add_item(
    store: ObjectStore, subscription_id: str, given: Mapping[str, Any], price: Object, until: int | None
) -> Object:
    now = store.now()
    return store.make(
        "subscription_item",
        {
            "current_period_end": until or end_of_period(now, price["recurring"]),
            "current_period_start": now,
            "price": price,
            "quantity": given.get("quantity", 1),
            "subscription": subscription_id,
        }
        | take_params(given, (), {}),
    )


def _ending(store: ObjectStore, subscription_id: str, *, ends: bool) -> Object:
    subscription = store.living("subscription", subscription_id)
    details = subscription["cancellation_details"] | {"reason": "cancellation_requested" if ends else None}
    end = subscription["items"]["data"][0]["current_period_end"]
    return {
        "cancel_at": end if ends else None,
        "cancel_at_period_end": ends,
        "canceled_at": store.now() if ends else None,
        "cancellation_details": details,
    }


@operation("GET /v1/subscriptions")
def list_subscriptions(call: Call) -> Object:
    """List subscriptions; those that have ended only where ``status`` asks for them."""
    params = call.params
    status = params.get("status")

    def is_wanted(one: Object) -> bool:
        match status:
            case "all":
                return True
            case None:
                return one["status"] not in ENDED
            case "ended":
                return one["status"] in ENDED
        return bool(one["status"] == status)

    return list_page(
        call,
        (
            one
            for one in call.store.all("subscription")
            if is_wanted(one)
            and params.get("customer", one["customer"]) == one["customer"]
            and ("price" not in params or any(i["price"]["id"] == params["price"] for i in one["items"]["data"]))
        ),
        "/v1/subscriptions",
    )


@operation("GET /v1/subscriptions/{}")
def retrieve_subscription(call: Call) -> Object:
    """Fetch a subscription, one that has ended too."""
    return call.store.living("subscription", call.id)


@operation("POST /v1/subscriptions/{}")
def update_subscription(call: Call) -> Object:
    """Change a subscription; a change of plan is prorated as ``proration_behavior`` says."""
    store, params = call.store, call.params
    before = store.living("subscription", call.id)
    if before["status"] in ENDED and params.keys() - {"cancellation_details", "metadata"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    changes = take_params(params, _TAKEN, before)
    if "default_payment_method" in params:
        changes["default_payment_method"] = _method(store, params, {"id": before["customer"]})
    if (ends := params.get("cancel_at_period_end")) is not None and ends != before["cancel_at_period_end"]:
        changes |= _ending(store, call.id, ends=ends)
    if at := params.get("cancel_at"):
        if not isinstance(at, int) or at <= store.now():
            raise invalid("The cancel_at must be in the future.", param="cancel_at")
        changes |= {"cancel_at": at, "canceled_at": store.now()}
        store.schedule(at, "subscription", call.id)
    elif "cancel_at" in params:
        changes |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
    if given := params.get("cancellation_details"):
        details: Object = changes.get("cancellation_details") or before["cancellation_details"]
        changes["cancellation_details"] = details | {name: value or None for name, value in given.items()}
    if "pause_collection" in params:
        changes["pause_collection"] = _pause(store, call.id, params["pause_collection"])
    place = store.written
    store.change("subscription", call.id, changes)
    if items := params.get("items"):
        change_items(store, call.id, items, params)
    after = store.living("subscription", call.id)
    store.emit("customer.subscription.updated", after, before, place=place)
    return after


def _pause(store: ObjectStore, subscription_id: str, given: Mapping[str, Any] | str) -> Object | None:
    """Return how the collection is paused, and see to it that it goes on when it is to; None where it goes on now."""
    if not isinstance(given, Mapping):
        return None
    resumes_at = given.get("resumes_at")
    if resumes_at:
        store.schedule(resumes_at, "resumption", subscription_id)
    return {"behavior": given["behavior"], "resumes_at": resumes_at}


@operation("POST /v1/subscriptions/{}/resume")
def resume_subscription(call: Call) -> Object:
    """Go on with a subscription that was paused when its trial ended; its period begins anew."""
    return resume(call.store, call.id)


@operation("DELETE /v1/subscriptions/{}")
def cancel_subscription(call: Call) -> Object:
    """End a subscription now; one that has ended is not found."""
    before = call.store.living("subscription", call.id)
    if before["status"] in ENDED:
        raise missing("subscription", call.id)
    given = call.params.get("cancellation_details") or {}
    return cancel(call.store, call.id, {name: value or None for name, value in given.items()})
