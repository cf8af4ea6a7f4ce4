"""Plans, coupons and promotion codes: what a merchant offers beside prices."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.catalogue import made_price
from payproof.stripe.double.errors import invalid, missing
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

_COUPON = ("amount_off", "duration", "duration_in_months", "max_redemptions", "name", "percent_off", "redeem_by")
_PLAN = ("active", "nickname")


def _plan_of(price: Object) -> Object:
    """Return a recurring price as the plan that it is, too."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": price["livemode"],
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


def _find_plan(store: ObjectStore, plan_id: str) -> Object:
    """Return a plan that an event has told of, or the price of that id; raises ApiError where there is neither."""
    told, price = store.find("plan", plan_id), store.find("price", plan_id)
    if told is not None and not told.get("deleted"):
        return told
    if told is not None or price is None or price.get("deleted") or price["recurring"] is None:
        raise missing("plan", plan_id)
    return _plan_of(price)


@operation("GET /v1/plans")
def list_plans(call: Call) -> Object:
    """List plans: the recurring prices."""
    params = call.params
    known = {one["id"]: one for one in call.store.all("plan")}
    plans = [*known.values()]
    plans += [_plan_of(one) for one in call.store.all("price") if one["recurring"] and one["id"] not in known]
    wanted = [
        one for one in plans if all(one[name] == params[name] for name in ("active", "product") if name in params)
    ]
    return list_page(call, wanted, "/v1/plans")


@operation("GET /v1/plans/{}")
def retrieve_plan(call: Call) -> Object:
    """Fetch a plan."""
    return _find_plan(call.store, call.id)


@operation("POST /v1/plans")
def create_plan(call: Call) -> Object:
    """Create a plan, which is a recurring price."""
    store, params = call.store, call.params
    product = params.get("product")
    if isinstance(product, Mapping):
        product = store.make("product", {"name": product["name"], "updated": store.now()})["id"]
    if not product:
        raise invalid("Missing required param: product.", code="parameter_missing", param="product", began=False)
    data: dict[str, Any] = {
        "currency": params["currency"],
        "recurring": {name: params[name] for name in ("interval", "interval_count", "usage_type") if name in params},
        "unit_amount": params.get("amount"),
        **({"id": params["id"]} if "id" in params else {}),
        **{name: params[name] for name in (*_PLAN, "metadata") if name in params},
    }
    if "amount_decimal" in params:
        data["unit_amount_decimal"] = params["amount_decimal"]
    plan = _plan_of(made_price(store, store.require("product", product, "product")["id"], data))
    store.emit("plan.created", plan)
    return plan


@operation("POST /v1/plans/{}")
def update_plan(call: Call) -> Object:
    """Change what of a plan may change."""
    store = call.store
    before = _find_plan(store, call.id)
    changes = take_params(call.params, _PLAN, before)
    for kind in ("plan", "price"):
        if (found := store.find(kind, call.id)) is not None and not found.get("deleted"):
            store.change(kind, call.id, changes)
    after = _find_plan(store, call.id)
    store.emit("plan.updated", after, before)
    return after


@operation("DELETE /v1/plans/{}")
def delete_plan(call: Call) -> Object:
    """Delete a plan; subscriptions to it go on."""
    store = call.store
    plan = _find_plan(store, call.id)
    for kind in ("plan", "price"):
        if store.find(kind, call.id) is not None:
            store.remove(kind, call.id)
    store.emit("plan.deleted", plan)
    return {"id": call.id, "object": "plan", "deleted": True}


@operation("GET /v1/coupons")
def list_coupons(call: Call) -> Object:
    """List coupons."""
    return list_page(call, call.store.all("coupon"), "/v1/coupons")


@operation("GET /v1/coupons/{}")
def retrieve_coupon(call: Call) -> Object:
    """Fetch a coupon."""
    return call.store.living("coupon", call.id)


@operation("POST /v1/coupons")
def create_coupon(call: Call) -> Object:
    """Create a coupon of a percentage or an amount."""
    store, params = call.store, call.params
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must specify either `percent_off` or `amount_off`.", began=False)
    if "amount_off" in params and "currency" not in params:
        raise invalid("You must pass currency when passing amount_off", param="currency", began=False)
    if (wanted := params.get("id")) and store.find("coupon", wanted):
        raise invalid("Coupon already exists.", code="resource_already_exists", param="id")
    usual = {"duration": "once", "duration_in_months": None, "name": None, "percent_off": None, "times_redeemed": 0}
    currency = params["currency"].lower() if "amount_off" in params else None
    values = usual | {"currency": currency} | take_params(params, _COUPON, {}) | ({"id": wanted} if wanted else {})
    coupon = store.make("coupon", values)
    store.emit("coupon.created", coupon)
    return coupon


@operation("POST /v1/coupons/{}")
def update_coupon(call: Call) -> Object:
    """Change the name and the metadata of a coupon."""
    before = call.store.living("coupon", call.id)
    after, before = call.store.change("coupon", call.id, take_params(call.params, ("name",), before))
    call.store.emit("coupon.updated", after, before)
    return after


@operation("DELETE /v1/coupons/{}")
def delete_coupon(call: Call) -> Object:
    """Delete a coupon; discounts by it go on."""
    call.store.living("coupon", call.id)
    call.store.emit("coupon.deleted", call.store.remove("coupon", call.id) | {"valid": False})
    return {"id": call.id, "object": "coupon", "deleted": True}


@operation("GET /v1/promotion_codes")
def list_codes(call: Call) -> Object:
    """List promotion codes."""
    params = call.params
    found = (
        one
        for one in call.store.all("promotion_code")
        if all(one[name] == params[name] for name in ("active", "code", "customer") if name in params)
        and params.get("coupon") in {None, one["promotion"]["coupon"]}
    )
    return list_page(call, found, "/v1/promotion_codes")


@operation("GET /v1/promotion_codes/{}")
def retrieve_code(call: Call) -> Object:
    """Fetch a promotion code."""
    return call.store.living("promotion_code", call.id)


@operation("POST /v1/promotion_codes")
def create_code(call: Call) -> Object:
    """Create a promotion code for a coupon."""
    store, params = call.store, call.params
    promotion = params.get("promotion") or {}
    coupon = promotion.get("coupon") or params.get("coupon")
    if not coupon:
        raise invalid("Missing required param: promotion[coupon].", code="parameter_missing", began=False)
    store.require("coupon", coupon, "coupon")
    taken = take_params(params, ("active", "code", "customer", "expires_at", "max_redemptions"), {})
    usual = {"code": store.new_id("x").removeprefix("x_1")[:8].upper(), "expires_at": None}
    code = store.make("promotion_code", usual | {"promotion": {"coupon": coupon, "type": "coupon"}} | taken)
    store.emit("promotion_code.created", code)
    return code


@operation("POST /v1/promotion_codes/{}")
def update_code(call: Call) -> Object:
    """Change whether a promotion code is active, and its metadata."""
    before = call.store.living("promotion_code", call.id)
    after, before = call.store.change("promotion_code", call.id, take_params(call.params, ("active",), before))
    call.store.emit("promotion_code.updated", after, before)
    return after
