"""A delivery on its way into the database, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from payproof_reference.services.events.webhooks import StripeEvent
from payproof_reference.services.stripe.snapshots import Snapshot, SubscriptionSnapshot

__all__ = ["Account", "EventOutcome", "Fetched", "IgnoredReason", "Receipt", "UndecidedError", "VerifiedDelivery"]


class EventOutcome(StrEnum):
    """What became of an accepted event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class IgnoredReason(StrEnum):
    """Why an accepted event was ignored."""

    UNHANDLED_TYPE = "unhandled_type"
    WRONG_MODE = "wrong_mode"
    WRONG_ACCOUNT = "wrong_account"
    OLDER_THAN_STATE = "older_than_state"
    NO_CHANGE = "no_change"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event, why if it was ignored, and whose state it changed if that is a tenant's."""

    outcome: EventOutcome
    reason: IgnoredReason | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The account at Stripe whose events count here: its mode, and its id where the settings name it."""

    livemode: bool
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Stripe's own answer where events cannot tell: given after the audit record `since` was written."""

    snapshot: SubscriptionSnapshot
    since: int


@dataclass(frozen=True, slots=True)
class VerifiedDelivery:
    """A verified event, what the service reads of its object, its arrival (seconds since the epoch) and its origin."""

    event: StripeEvent
    snapshot: Snapshot | None
    received_at: int
    origin: str
    fetched: Fetched | None = None

    @property
    def state(self) -> Snapshot | None:
        """What is to be applied: what Stripe answered where it was asked, else what the event says."""
        return self.fetched.snapshot if self.fetched else self.snapshot


class UndecidedError(Exception):
    """Two events of one second report different states of one object, and only Stripe knows which of them is newer.

    Attributes:
        since: the last audit record when that was found; Stripe's answer must not replace what was written after it.
    """

    def __init__(self, since: int) -> None:
        super().__init__("the order of two events of one second is not known")
        self.since = since
