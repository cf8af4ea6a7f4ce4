"""The reasons for which the service itself refuses a request, before anything reaches Stripe."""

from enum import StrEnum

__all__ = ["Refusal", "RefusedError"]


class Refusal(StrEnum):
    """The reason, as the caller reads it."""

    NOT_FOUND = "not_found"
    UNKNOWN_PLAN = "unknown_plan"
    NOT_REFUNDABLE = "not_refundable"
    KEY_REUSED = "idempotency_key_reused"
    GIVEN_UP = "given_up"


class RefusedError(Exception):
    """A request is refused; carries the reason and nothing of what was sent."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
