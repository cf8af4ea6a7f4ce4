"""Test clocks: a customer on one, and whatever becomes of it, goes by the clock's time, which a call moves on.

Sources: https://docs.stripe.com/billing/testing/test-clocks/api-advanced-usage and https://docs.stripe.com/api/test_clocks.
Two things are otherwise than at Stripe. The events of what happens on a clock have the clock's time, as its invoices
and subscriptions have there, and so have its PaymentIntents and charges, which at Stripe have the time of the wall
clock (https://github.com/stripe/stripe-python/issues/1183). Lists of customers and subscriptions show those of clocks
too, which Stripe shows where ``test_clock`` asks for them, so that an application which looks for a customer finds it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.clock import advance
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.lifecycle import ENDED
from payproof.stripe.double.periods import DAY, end_of_period
from payproof.stripe.double.relations import Object, kind_of
from payproof.stripe.double.store import ObjectStore

__all__ = ["find_clock"]

_KIND = "test_helpers.test_clock"
_PATH = "/v1/test_helpers/test_clocks"
_KEPT_DAYS = 30
_MOST_YEARS = 2
#: Where an object names whose it is: a customer, or what is a customer's.
_OWNERS = ("customer", "subscription", "invoice", "charge", "payment_intent")


def find_clock(store: ObjectStore, named: Any) -> str:
    """Return the test clock of the first object that ids in a call's path and parameters name; empty without one."""
    return next((clock for one in _texts(named) if (clock := _clock_of(store, one))), "")


def _clock_of(store: ObjectStore, object_id: str) -> str | None:
    kind = kind_of(object_id)
    if kind == _KIND:
        return object_id if store.find(kind, object_id) is not None else None
    found = None if kind is None else store.find(kind, object_id)
    for _ in _OWNERS:  # more steps than it takes from any object to its customer
        if found is None or "test_clock" in found:
            break
        owner = next((found[name] for name in _OWNERS if isinstance(found.get(name), str)), None)
        found = None if owner is None else store.find(str(kind_of(owner)), owner)
    clock: str | None = None if found is None else found.get("test_clock")
    return clock


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value)


@operation(f"POST {_PATH}")
def create_clock(call: Call) -> Object:
    """Make a clock that stands at a time."""
    store, at = call.store, call.params["frozen_time"]
    values = {"deletes_after": store.now() + _KEPT_DAYS * DAY, "frozen_time": at, "name": None}
    clock = store.make(_KIND, values | take_params(call.params, ("name",), {}))
    store.set_clock(clock["id"], at)
    return clock


@operation(f"GET {_PATH}")
def list_clocks(call: Call) -> Object:
    """List clocks."""
    return list_page(call, call.store.all(_KIND), _PATH)


@operation(f"GET {_PATH}/{{}}")
def retrieve_clock(call: Call) -> Object:
    """Fetch a clock; it is ready, as the double moves one on before it answers."""
    return call.store.living(_KIND, call.id, "test_clock")


@operation(f"POST {_PATH}/{{}}/advance")
def advance_clock(call: Call) -> Object:
    """Move a clock on: the answer says that it advances, and whoever asks after it, that it is ready."""
    store, until = call.store, call.params["frozen_time"]
    before = store.living(_KIND, call.id, "test_clock")
    if until <= before["frozen_time"]:
        message = "The frozen_time must be after the test clock's current frozen time."
        raise invalid(message, param="frozen_time")
    if until > _farthest(store, before):
        message = (
            "The frozen_time cannot be more than two intervals of the shortest subscription on the test clock ahead, "
            "or two years where it has none."
        )
        raise invalid(message, param="frozen_time")
    advance(store, call.id, until)
    after, _ = store.change(_KIND, call.id, {"frozen_time": until})
    details = {"advancing": {"target_frozen_time": until}}
    return after | {"status": "advancing"} | ({"status_details": details} if "status_details" in after else {})


def _farthest(store: ObjectStore, clock: Object) -> int:
    """Return how far a clock may be moved on at once."""
    now: int = clock["frozen_time"]
    mine = (one for one in store.all("subscription") if one["test_clock"] == clock["id"] and one["status"] not in ENDED)
    found = [item["price"]["recurring"] for one in mine for item in one["items"]["data"]]
    recurring = found or [{"interval": "year", "interval_count": _MOST_YEARS // 2}]
    return min(end_of_period(end_of_period(now, one), one) for one in recurring)


@operation(f"DELETE {_PATH}/{{}}")
def delete_clock(call: Call) -> Object:
    """Delete a clock with its customers, whose subscriptions end; Stripe tells nobody of it."""
    store = call.store
    store.living(_KIND, call.id, "test_clock")
    for subscription in list(store.all("subscription")):
        if subscription["test_clock"] == call.id and subscription["status"] not in ENDED:
            store.change("subscription", subscription["id"], {"ended_at": store.now(), "status": "canceled"})
    for customer in list(store.all("customer")):
        if customer["test_clock"] == call.id:
            store.remove("customer", customer["id"])
    store.remove(_KIND, call.id)
    return {"id": call.id, "object": _KIND, "deleted": True}
