"""In which state the objects are that an event only names: one that fits what the event says."""

from collections.abc import Callable, Mapping

from payproof.stripe.double.relations import Object
from payproof.stripe.double.shapes import Shapes

__all__ = ["adjust", "adjust_transaction", "template_of"]

#: By kind, and by how the payment stands: the event whose object is in that state; what is not here is as at rest.
_STATES: Mapping[str, Mapping[str, str]] = {
    "charge": {
        "failed": "charge.failed",
        "paid": "charge.succeeded",
        "pending": "charge.pending",
        "refunded": "charge.refunded",
    },
    "invoice": {
        "failed": "invoice.payment_failed",
        "held": "invoice.finalized",
        "open": "invoice.finalized",
        "paid": "invoice.paid",
        "pending": "invoice.finalized",
        "refunded": "invoice.paid",
    },
    "payment_intent": {
        "failed": "payment_intent.payment_failed",
        "held": "payment_intent.amount_capturable_updated",
        "open": "payment_intent.created",
        "paid": "payment_intent.succeeded",
        "pending": "payment_intent.processing",
        "refunded": "payment_intent.succeeded",
    },
}


def _of_charge(charge: Object) -> str:
    if charge["refunded"]:
        return "refunded"
    if charge["status"] == "succeeded":
        return "paid" if charge["captured"] else "held"
    return str(charge["status"])


def _of_intent(intent: Object) -> str:
    known = {"succeeded": "paid", "requires_capture": "held", "processing": "pending"}
    return "failed" if intent["last_payment_error"] else known.get(intent["status"], "open")


def _of_invoice(invoice: Object) -> str:
    if invoice["status"] == "paid":
        return "paid"
    return "failed" if invoice["attempted"] else "open"


#: By kind of object: how the payment that it is about stands; where a kind is missing, it is paid.
_STANDING: Mapping[str, Callable[[Object], str]] = {
    "charge": _of_charge,
    "checkout.session": lambda session: "open" if session["payment_status"] == "unpaid" else "paid",
    "invoice": _of_invoice,
    "payment_intent": _of_intent,
    "refund": lambda _: "refunded",
    "subscription": lambda one: "failed" if one["status"] in {"incomplete", "past_due", "unpaid"} else "paid",
}


def payment_state(subject: Object) -> str:
    """Return how the payment that an object is about stands: a key of ``_STATES``."""
    standing = _STANDING.get(subject["object"])
    return "paid" if standing is None else standing(subject)


def template_of(shapes: Shapes, kind: str, subject: Object) -> Object | None:
    """Return the template, in the newest shape, of an object that a subject refers to; None where there is none."""
    event = _STATES.get(kind, {}).get(payment_state(subject))
    if event is not None:
        made: Object = shapes.newest_event(event)["data"]["object"]
        return made
    return shapes.newest(kind) if shapes.knows(kind) else None


def adjust(made: Object, subject: Object, named_by: Object) -> None:
    """Give an object that another one names the amounts and the marks that the subject of the event says of it."""
    if made["object"] == "balance_transaction":
        adjust_transaction(made, named_by)
    amount = subject.get("amount_due" if subject["object"] == "invoice" else "amount")
    kind = made["object"]
    if isinstance(amount, int) and subject["object"] in {"charge", "invoice", "payment_intent"}:
        currency = subject["currency"]
        if kind == "payment_intent":
            made |= {"amount": amount, "currency": currency}
            made["amount_received"] = amount if made["status"] == "succeeded" else 0
        elif kind == "charge":
            made |= {"amount": amount, "currency": currency}
            made["amount_captured"] = amount if made["captured"] and made["status"] == "succeeded" else 0
        elif kind == "invoice_payment":
            made |= {"amount_requested": amount, "currency": currency}
    if kind == "invoice_payment" and payment_state(subject) in {"paid", "refunded"}:
        made["amount_paid"] = made["amount_requested"]
        made["status"] = "paid"
        made["status_transitions"] = made["status_transitions"] | {"paid_at": made["created"]}
    if kind == "charge":
        made["captured"] = made["captured"] and payment_state(subject) != "held"
        made["disputed"] = made["disputed"] or subject["object"] == "dispute"
    if kind == "customer" and subject["object"] == "discount" and subject["customer"] == made["id"]:
        made["discount"] = subject


def adjust_transaction(made: Object, named_by: Object) -> None:
    """Make a balance transaction that of a charge, a refund or a payout, without a fee."""
    kind = str(named_by["object"])
    amount = named_by["amount"] * (1 if kind == "charge" else -1)
    made |= {"amount": amount, "currency": named_by["currency"], "fee": 0, "fee_details": [], "net": amount}
    made |= {"description": None, "reporting_category": kind, "source": named_by["id"], "type": kind}
