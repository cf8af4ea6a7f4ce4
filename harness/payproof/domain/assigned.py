"""Fields that no sender of a request may set, and the values by which they are recognised; pure."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Literal

__all__ = ["FIELDS", "NUMBER", "TEXT", "Fields", "is_assigned"]

Fields = Literal["ownership", "state", "money", "stripe_ids"]

#: What stands for a text and for a number: nothing else of a run is one of them.
TEXT, NUMBER = "payproof_assigned", 918_273_645

#: By what they would decide on.
FIELDS: Mapping[Fields, Mapping[str, Any]] = {
    "ownership": dict.fromkeys(
        ("tenant_id", "tenant", "user_id", "account_id", "organization_id", "owner_id", "created_by"), TEXT
    ),
    "state": dict.fromkeys(("status", "state", "payment_status", "role", "plan", "is_admin", "active", "paid"), TEXT),
    "money": dict.fromkeys(
        ("balance", "unit_amount", "amount_paid", "application_fee_amount", "trial_period_days", "trial_end"), NUMBER
    )
    | dict.fromkeys(("coupon", "discount"), TEXT),
    "stripe_ids": dict.fromkeys(
        ("stripe_customer_id", "stripe_subscription_id", "stripe_account", "on_behalf_of", "invoice_prefix"), TEXT
    ),
}

_SHOWN = {
    text
    for plain in (TEXT, str(NUMBER))
    for text in (plain, f"{{text {blake2b(plain.encode(), digest_size=8).hexdigest()}}}")
}


def is_assigned(shown: str) -> bool:
    """Whether a value of a row or of a call, as it is shown, is one of them: in words, or as a digest."""
    return shown in _SHOWN
