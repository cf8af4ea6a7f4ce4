"""Decides whether a subscription grants its plan now; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from payproof_reference.settings import ListedPlan

__all__ = ["Terms", "is_entitled"]

GRANTING = frozenset({"active", "trialing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The facts that decide on access to a plan; amounts in the currency's smallest unit, times as in the epoch."""

    status: str
    price_id: str | None
    unit_amount: int | None
    currency: str | None
    current_period_end: int | None
    cancel_at_period_end: bool
    customer_deleted: bool


def is_entitled(terms: Terms, plans: Mapping[str, ListedPlan], now: int) -> bool:
    """Tell whether a subscription grants its plan at `now` (seconds since the epoch).

    The price must be one that the operator listed, and cost what the plan costs. An amount that no event has reported
    yet is not held against it: at Stripe the amount of a price cannot be changed, and its id is on the operator's list.
    What is cancelled ends with the period that is paid, even if the event that says so is late. Otherwise the end of
    a period decides nothing, because Stripe tries for days to renew it, and says by the status how that went.
    """
    plan = plans.get(terms.price_id or "")
    if plan is None or terms.status not in GRANTING or terms.customer_deleted:
        return False
    if terms.unit_amount is not None and terms.unit_amount < plan.amount:
        return False
    if terms.currency is not None and terms.currency != plan.currency:
        return False
    has_ended = terms.current_period_end is not None and terms.current_period_end <= now
    return not (terms.cancel_at_period_end and has_ended)
