"""Changes of plan: the items of a subscription, and what of a period is paid back and billed anew."""

from collections.abc import Mapping, Sequence
from typing import Any

from payproof.stripe.double.billing import collect, finalize
from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.catalogue import price_of
from payproof.stripe.double.errors import invalid, missing
from payproof.stripe.double.lifecycle import ENDED, bill, settle_invoice, with_items
from payproof.stripe.double.periods import end_of_period
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["change_items"]


def change_items(
    store: ObjectStore, subscription_id: str, given: Sequence[Mapping[str, Any]], params: Mapping[str, Any]
) -> Object:
    """Change, add and remove items, prorate, and bill at once what ``proration_behavior`` or a new interval asks for.

    Raises:
        ApiError: no such item or price, the last item would go, or the payment was declined under
            ``payment_behavior=error_if_incomplete``.
    """
    before = store.living("subscription", subscription_id)
    old = {item["id"]: item for item in before["items"]["data"]}
    for number, one in enumerate(given):
        _change_item(store, subscription_id, one, f"items[{number}]", old)
    after = with_items(store, subscription_id)
    new = {item["id"]: item for item in after["items"]["data"]}
    if not new:
        raise invalid("A subscription must have at least one active price.", param="items")
    behavior = params.get("proration_behavior", "create_prorations")
    if behavior != "none" and before["status"] in {"active", "past_due"}:
        _prorate(store, after, old, new)
    moved = _interval(before) != _interval(after)
    if moved:
        _restart(store, subscription_id)
    if (moved or behavior == "always_invoice") and before["status"] == "active":
        invoice = bill(store, subscription_id, "subscription_update", whole=moved)
        finalize(store, invoice["id"])
        _, error = collect(store, invoice["id"])
        if error is not None and params.get("payment_behavior") == "error_if_incomplete":
            raise error
        settle_invoice(store, store.living("invoice", invoice["id"]))
    return store.living("subscription", subscription_id)


def _interval(subscription: Object) -> tuple[str, int]:
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _change_item(
    store: ObjectStore, subscription_id: str, given: Mapping[str, Any], param: str, old: Mapping[str, Object]
) -> Object:
    item_id = given.get("id")
    if item_id is None:
        price = price_of(store, given, param, recurring=True)
        first = next(iter(old.values()))
        return store.make(
            "subscription_item",
            {
                "current_period_end": first["current_period_end"],
                "current_period_start": first["current_period_start"],
                "price": price,
                "quantity": given.get("quantity", 1),
                "subscription": subscription_id,
            }
            | take_params(given, (), {}),
        )
    if item_id not in old:
        raise missing("subscription item", item_id, f"{param}[id]", status=400)
    if given.get("deleted"):
        store.remove("subscription_item", item_id)
        return {"id": item_id, "object": "subscription_item", "deleted": True}
    changes = take_params(given, ("quantity",), old[item_id])
    if "price" in given or "price_data" in given:
        changes["price"] = price_of(store, given, param, recurring=True)
    return store.change("subscription_item", item_id, changes)[0]


def _prorate(store: ObjectStore, subscription: Object, old: Mapping[str, Object], new: Mapping[str, Object]) -> None:
    """Note, for each item that changed, what is paid back and what is billed for the rest of the period."""
    now = store.now()
    for item_id in dict.fromkeys((*old, *new)):
        was, now_is = old.get(item_id), new.get(item_id)
        if was is not None and now_is is not None and _cost(was) == _cost(now_is) and was["price"] == now_is["price"]:
            continue
        for item, sign in ((was, -1), (now_is, 1)):
            if item is None or (sign > 0 and was and _recurring(was) != _recurring(item)):
                continue
            start, end = item["current_period_start"], item["current_period_end"]
            share = (end - now) / (end - start) if end > start else 0
            _note(store, subscription, item, sign * round(_cost(item) * share), end)


def _recurring(item: Object) -> Object:
    recurring: Object = item["price"]["recurring"]
    return recurring


def _cost(item: Object) -> int:
    return int((item["price"]["unit_amount"] or 0) * item.get("quantity", 1))


def _note(store: ObjectStore, subscription: Object, item: Object, amount: int, end: int) -> None:
    price = item["price"]
    noted = store.make(
        "invoiceitem",
        {
            "amount": amount,
            "currency": price["currency"],
            "customer": subscription["customer"],
            "date": store.now(),
            "description": "Unused time" if amount < 0 else "Remaining time",
            "discountable": False,
            "net_amount": amount,
            "parent": {
                "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
                "type": "subscription_details",
            },
            "period": {"end": end, "start": store.now()},
            "pricing": {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "proration": True,
            "quantity": item.get("quantity", 1),
            "quantity_decimal": str(item.get("quantity", 1)),
        },
    )
    store.emit("invoiceitem.created", noted)


def _restart(store: ObjectStore, subscription_id: str) -> None:
    """Begin a new period now, since the interval is another."""
    now = store.now()
    for item in store.living("subscription", subscription_id)["items"]["data"]:
        end = end_of_period(now, item["price"]["recurring"])
        store.change("subscription_item", item["id"], {"current_period_start": now, "current_period_end": end})
        store.schedule(end, "subscription", subscription_id)
    store.change("subscription", subscription_id, {"billing_cycle_anchor": now})
    with_items(store, subscription_id)


def _change_items(call: Call, given: Mapping[str, Any], subscription_id: str) -> Object:
    store = call.store
    before = store.living("subscription", subscription_id)
    if before["status"] in ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    place = store.written
    after = change_items(store, subscription_id, [given], call.params)
    store.emit("customer.subscription.updated", after, before, place=place)
    return after


@operation("POST /v1/subscription_items")
def create_item(call: Call) -> Object:
    """Add an item to a subscription."""
    subscription = call.store.require("subscription", call.params["subscription"], "subscription")
    after = _change_items(call, {k: call.params[k] for k in _ITEM & call.params.keys()}, subscription["id"])
    added: Object = after["items"]["data"][-1]
    return added


_ITEM = frozenset({"metadata", "price", "price_data", "quantity"})


@operation("GET /v1/subscription_items")
def list_items(call: Call) -> Object:
    """List the items of a subscription."""
    wanted = call.params["subscription"]
    found = [item for item in call.store.all("subscription_item") if item["subscription"] == wanted]
    return list_page(call, found[::-1], f"/v1/subscription_items?subscription={wanted}")


@operation("GET /v1/subscription_items/{}")
def retrieve_item(call: Call) -> Object:
    """Fetch an item."""
    return call.store.living("subscription_item", call.id, "item")


@operation("POST /v1/subscription_items/{}")
def update_item(call: Call) -> Object:
    """Change the price or quantity of an item."""
    item = call.store.living("subscription_item", call.id, "item")
    given = {k: call.params[k] for k in _ITEM & call.params.keys()}
    _change_items(call, given | {"id": call.id}, item["subscription"])
    return call.store.living("subscription_item", call.id)


@operation("DELETE /v1/subscription_items/{}")
def delete_item(call: Call) -> Object:
    """Remove an item, which may not be the last."""
    item = call.store.living("subscription_item", call.id, "item")
    _change_items(call, {"id": call.id, "deleted": True}, item["subscription"])
    return {"id": call.id, "object": "subscription_item", "deleted": True}
