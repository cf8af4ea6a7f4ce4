"""The states that an object of Stripe's comes to, one after the other."""

from collections.abc import Mapping
from typing import Any

__all__ = ["next_state"]


def next_state(subject: Mapping[str, Any]) -> Mapping[str, object]:
    """Return what is different in an object's next state, in every shape of the API; nothing where it has only one."""
    match subject["object"]:
        case "subscription":
            quantity = subject["items"]["data"][0]["quantity"]
            kept = dict.fromkeys(("cancel_at", "canceled_at")) | {"cancel_at_period_end": False}
            status = "active" if subject["status"] == "past_due" else "past_due"
            return {**kept, "items.data.0.quantity": quantity + 1, "status": status}
        case "customer":
            return {"balance": subject["balance"] + 700, "delinquent": not subject["delinquent"]}
        case "invoice":
            return {"attempt_count": subject["attempt_count"] + 1}
    return {}
