"""A delivery on its way into the database, what became of it, and what the audit log is told of that."""

from dataclasses import dataclass
from enum import StrEnum

from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.services.events.webhooks import Event
from payproof_reference.services.state.ordering import CLOSED
from payproof_reference.services.stripe.snapshots import Customer, Dispute, Session, Snapshot, Subscription

__all__ = ["Account", "Delivery", "Fetched", "Outcome", "Reason", "Receipt", "UndecidedError", "failure", "told"]


class Outcome(StrEnum):
    """What became of an accepted event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class Reason(StrEnum):
    """Why an accepted event was ignored."""

    UNHANDLED_TYPE = "unhandled_type"
    WRONG_MODE = "wrong_mode"
    WRONG_ACCOUNT = "wrong_account"
    OLDER_THAN_STATE = "older_than_state"
    NO_CHANGE = "no_change"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event, why if it was ignored, and whose state it changed if that is a tenant's."""

    outcome: Outcome
    reason: Reason | None = None
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The account at Stripe whose events count here: its mode, and its id where the service was told it."""

    livemode: bool
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Stripe's own answer where events cannot tell: given after the audit record `since` was written."""

    snapshot: Subscription
    since: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified event: its object as far as the service uses it, when (seconds since the epoch) and whence it came."""

    event: Event
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


def told(delivery: Delivery, receipt: Receipt) -> list[Record]:
    """Build the audit records of a delivery: one of its receipt, and one of its effect if it had one."""
    event, snapshot = delivery.event, delivery.state
    result = Result.SUCCESS if receipt.outcome is Outcome.APPLIED else Result.IGNORED
    copied = receipt.outcome is Outcome.DUPLICATE
    received = Record(
        event=Action.WEBHOOK_DUPLICATE if copied else Action.WEBHOOK_RECEIVED,
        actor="stripe",
        result=result,
        origin=delivery.origin,
        reason=receipt.reason,
        object_id=event.id,
    )
    if snapshot is None or receipt.outcome is not Outcome.APPLIED:
        return [received]
    effect = Record(
        event=action(event, snapshot),
        actor="stripe",
        result=result,
        origin=delivery.origin,
        reason=reached(snapshot),
        object_id=snapshot.id,
        reference=event.id,
        tenant_id=receipt.tenant_id,
    )
    return [received, effect]


def reached(snapshot: Snapshot) -> str | None:
    """Name the state that an object reached; of a Checkout session, whether it is paid."""
    match snapshot:
        case Customer():
            return None
        case Session():
            return snapshot.payment_status
        case _:
            return snapshot.status


def action(event: Event, snapshot: Snapshot) -> Action:
    """Name the effect of an event."""
    match snapshot:
        case Subscription(status="canceled"):
            return Action.SUBSCRIPTION_CANCELLED
        case Dispute(status=status) if status in CLOSED and not event.type.endswith(".created"):
            return Action.DISPUTE_CLOSED
        case _:
            return ACTIONS.get(event.type, Action.SUBSCRIPTION_CHANGED)


ACTIONS = {
    "customer.created": Action.CUSTOMER_CHANGED,
    "customer.updated": Action.CUSTOMER_CHANGED,
    "customer.deleted": Action.CUSTOMER_DELETED,
    "customer.subscription.created": Action.SUBSCRIPTION_CREATED,
    "customer.subscription.deleted": Action.SUBSCRIPTION_CANCELLED,
    "invoice.paid": Action.PAYMENT_SUCCEEDED,
    "invoice.payment_failed": Action.PAYMENT_FAILED,
    "charge.succeeded": Action.PAYMENT_SUCCEEDED,
    "charge.failed": Action.PAYMENT_FAILED,
    "charge.refunded": Action.PAYMENT_REFUNDED,
    "charge.dispute.created": Action.DISPUTE_OPENED,
    "charge.dispute.updated": Action.DISPUTE_CHANGED,
    "charge.dispute.closed": Action.DISPUTE_CLOSED,
    "checkout.session.completed": Action.CHECKOUT_CHANGED,
    "checkout.session.expired": Action.CHECKOUT_CHANGED,
    "checkout.session.async_payment_succeeded": Action.CHECKOUT_CHANGED,
    "checkout.session.async_payment_failed": Action.CHECKOUT_CHANGED,
}


def failure(delivery: Delivery, error: Exception) -> Record:
    """Build the audit record of a delivery that could not be applied; of the error, only its type."""
    return Record(
        event=Action.WEBHOOK_FAILED,
        actor="stripe",
        result=Result.FAILED,
        origin=delivery.origin,
        reason=type(error).__name__[:60],
        object_id=delivery.event.id,
    )
