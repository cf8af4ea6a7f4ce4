"""Disputes: opened by whoever was charged, which here is a test, and answered by the merchant."""

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.periods import HOUR
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["decide", "find_decision", "is_open", "open_dispute"]

#: What evidence makes of a dispute in test mode (https://docs.stripe.com/testing#disputes); here an hour later, so that
#: the events of its review and of its end do not have one time, which no dispute has outside of test mode.
_DECIDED = {"losing_evidence": False, "winning_evidence": True}
_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def open_dispute(store: ObjectStore, charge: Object, reason: str, amount: int | None = None) -> Object:
    """Dispute a charge; its amount is withdrawn from the merchant.

    Raises:
        ApiError: the charge is disputed already, or has not succeeded.
    """
    if charge["disputed"] or charge["status"] != "succeeded":
        raise invalid("This charge cannot be disputed.", code="charge_disputed")
    at_rest = store.shapes.newest("dispute")["evidence"]
    dispute = store.make(
        "dispute",
        {
            "amount": charge["amount"] if amount is None else amount,
            "charge": charge["id"],
            "currency": charge["currency"],
            "evidence": {name: {} if name == "enhanced_evidence" else None for name in at_rest},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
        },
    )
    store.change("charge", charge["id"], {"disputed": True})
    store.emit("charge.dispute.created", dispute)
    store.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def is_open(dispute: Object) -> bool:
    """Whether a dispute waits for evidence or for the bank."""
    return dispute["status"] in _OPEN


def decide(store: ObjectStore, dispute_id: str, *, won: bool) -> Object:
    """Let the bank decide on a dispute."""
    dispute, _ = store.change("dispute", dispute_id, {"status": "won" if won else "lost"})
    store.emit("charge.dispute.closed", dispute)
    if won:
        store.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


@operation("GET /v1/disputes")
def list_disputes(call: Call) -> Object:
    """List disputes."""
    params = call.params
    return list_page(
        call,
        (
            dispute
            for dispute in call.store.all("dispute")
            if all(dispute[name] == params[name] for name in ("charge", "payment_intent") if name in params)
        ),
        "/v1/disputes",
    )


@operation("GET /v1/disputes/{}")
def retrieve_dispute(call: Call) -> Object:
    """Fetch a dispute."""
    return call.store.living("dispute", call.id)


@operation("POST /v1/disputes/{}")
def update_dispute(call: Call) -> Object:
    """Give evidence, and with ``submit`` send it to the bank, which then reviews it."""
    store, params = call.store, call.params
    before = store.living("dispute", call.id)
    if before["status"] not in _OPEN:
        raise invalid("This dispute is already closed.", code="status_transition_invalid")
    changes = take_params(params, (), before)
    if given := params.get("evidence"):
        known = {name: value or None for name, value in given.items() if name in before["evidence"]}
        submit = params.get("submit", True)
        details = before["evidence_details"]
        changes |= {
            "evidence": before["evidence"] | known,
            "evidence_details": details
            | {"has_evidence": True, "submission_count": details["submission_count"] + bool(submit)},
        }
        if submit:
            changes["status"] = before["status"].replace("needs_response", "under_review")
    after, before = store.change("dispute", call.id, changes)
    store.emit("charge.dispute.updated", after, before)
    if after["status"].endswith("under_review") and find_decision(after) is not None:
        store.schedule(store.now() + HOUR, "decision", call.id)
    return after


def find_decision(dispute: Object) -> bool | None:
    """Return whether a dispute will be won by its evidence, as test mode has it; None where a person decides."""
    return _DECIDED.get(str(dispute["evidence"].get("uncategorized_text")))


@operation("POST /v1/disputes/{}/close")
def close_dispute(call: Call) -> Object:
    """Accept a dispute as lost."""
    before = call.store.living("dispute", call.id)
    if before["status"] not in _OPEN:
        raise invalid("This dispute is already closed.", code="status_transition_invalid")
    return decide(call.store, call.id, won=False)
