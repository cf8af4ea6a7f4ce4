"""Payments, refunds and subscriptions as Stripe's objects tell of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from payproof.domain.reconciliation import RecordKind, StripeRecord

__all__ = ["VOCABULARY", "list_records", "read_newest"]

_PAID = frozenset({"succeeded", "paid"})
_NEVER_BEGUN = frozenset({"incomplete", "incomplete_expired"})
#: Every word that Stripe has for a status, so that a target's own words are no contradiction.
VOCABULARY: Mapping[RecordKind, frozenset[str]] = {
    "payment": frozenset(
        {
            *("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"),
            *("processing", "canceled", "succeeded", "pending", "failed"),
        }
    ),
    "refund": frozenset({"pending", "requires_action", "succeeded", "failed", "canceled"}),
    "subscription": frozenset(
        {
            *("incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"),
        }
    ),
}

_Object = Mapping[str, Any]


def read_newest(events: Iterable[_Object]) -> dict[str, tuple[_Object, int]]:
    """Return the newest state of each object that events tell of, by its id, with when it was so.

    Stripe writes seconds: of two events of one second the one that ends an object is the later one, and one that begins
    it the earlier.
    """
    newest: dict[str, tuple[tuple[int, int], _Object]] = {}
    for event in events:
        subject = event["data"]["object"]
        name = subject.get("id")
        if not isinstance(name, str) or not isinstance(event.get("created"), int):
            continue
        action = str(event["type"]).rpartition(".")[2]
        order = event["created"], {"created": 0, "deleted": 2}.get(action, 1)
        if name not in newest or newest[name][0] <= order:
            newest[name] = order, subject
    return {name: (subject, order[0]) for name, (order, subject) in newest.items()}


def list_records(objects: Mapping[str, tuple[_Object, int]]) -> list[StripeRecord]:
    """Return the payments, refunds and subscriptions among objects, by their ids with when each was so."""
    by_kind: dict[str, list[tuple[_Object, int]]] = {}
    for subject, at in objects.values():
        by_kind.setdefault(str(subject.get("object")), []).append((subject, at))
    return [
        *_list_payments(by_kind.get("payment_intent", []), by_kind.get("charge", [])),
        *(_read_refund(*one) for one in by_kind.get("refund", [])),
        *(_read_subscription(*one) for one in by_kind.get("subscription", [])),
    ]


def _list_payments(
    intents: Iterable[tuple[_Object, int]], charges: Iterable[tuple[_Object, int]]
) -> Iterator[StripeRecord]:
    """Yield payments: an intent with its charges, or a charge without an intent."""
    parts: dict[str, list[tuple[_Object, int]]] = {}
    for subject, at in (*intents, *charges):
        parts.setdefault(_id_of(subject.get("payment_intent")) or str(subject["id"]), []).append((subject, at))
    for name, members in parts.items():
        objects = [subject for subject, _ in members]
        paid = [one for one in objects if one["object"] == "charge" and one.get("status") in _PAID]
        # Of several charges the one that has succeeded is the payment; the others were attempts.
        told = [one for one in objects if one["object"] == "payment_intent"] + (
            paid or [one for one in objects if one["object"] == "charge"][-1:]
        )
        ids = {str(one["id"]) for one in told} | {name}
        ids |= {_id_of(one.get(key)) for one in told for key in ("invoice", "latest_charge")} - {""}
        yield StripeRecord(
            "payment",
            name,
            frozenset(ids),
            {
                "status": _texts(told, "status"),
                "amount": _texts(told, "amount"),
                "amount_refunded": _texts(told, "amount_refunded"),
                "currency": _texts(told, "currency"),
            },
            required=any(one.get("status") == "succeeded" for one in told),
            changed=max(at for _, at in members),
        )


def _read_refund(subject: _Object, at: int) -> StripeRecord:
    fields = {name: _texts([subject], name) for name in ("status", "amount", "currency")}
    required = subject.get("status") in {"succeeded", "pending"}
    return StripeRecord("refund", str(subject["id"]), frozenset({str(subject["id"])}), fields, required, at)


def _read_subscription(subject: _Object, at: int) -> StripeRecord:
    items = subject.get("items", {}).get("data", [])
    fields = {
        "status": _texts([subject], "status"),
        "price": frozenset(_id_of(one.get("price")) for one in items) - {""},
        "quantity": _texts(items, "quantity"),
        "cancel_at_period_end": _texts([subject], "cancel_at_period_end"),
        "current_period_end": _texts([subject, *items], "current_period_end"),
    }
    required = subject.get("status") not in _NEVER_BEGUN
    return StripeRecord("subscription", str(subject["id"]), frozenset({str(subject["id"])}), fields, required, at)


def _texts(objects: Iterable[_Object], name: str) -> frozenset[str]:
    """Return what objects say of a field, as rows would write it."""
    values = (one.get(name) for one in objects)
    return frozenset(str(one).lower() if isinstance(one, bool) else str(one) for one in values if one is not None)


def _id_of(value: Any) -> str:
    """Return the id of what is an object or its id."""
    return str(value.get("id", "")) if isinstance(value, Mapping) else str(value or "")
