"""The audit records of a delivery; pure."""

from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.services.events.delivery import EventOutcome, Receipt, VerifiedDelivery
from payproof_reference.services.events.webhooks import StripeEvent
from payproof_reference.services.state.ordering import CLOSED
from payproof_reference.services.stripe.snapshots import (
    CheckoutSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    Snapshot,
    SubscriptionSnapshot,
)

__all__ = ["build_failure_record", "build_records"]


def build_records(delivery: VerifiedDelivery, receipt: Receipt) -> list[Record]:
    """Build the audit records of a delivery: one of its receipt, and one of its effect if it had one."""
    event, snapshot = delivery.event, delivery.state
    result = Result.SUCCESS if receipt.outcome is EventOutcome.APPLIED else Result.IGNORED
    copied = receipt.outcome is EventOutcome.DUPLICATE
    received = Record(
        event=Action.WEBHOOK_DUPLICATE if copied else Action.WEBHOOK_RECEIVED,
        actor="stripe",
        result=result,
        origin=delivery.origin,
        reason=receipt.reason,
        object_id=event.id,
    )
    if snapshot is None or receipt.outcome is not EventOutcome.APPLIED:
        return [received]
    effect = Record(
        event=name_action(event, snapshot),
        actor="stripe",
        result=result,
        origin=delivery.origin,
        reason=name_reached_state(snapshot),
        object_id=snapshot.id,
        reference=event.id,
        tenant_id=receipt.tenant_id,
    )
    return [received, effect]


def name_reached_state(snapshot: Snapshot) -> str | None:
    """Name the state that an object reached; of a Checkout session, whether it is paid."""
    match snapshot:
        case CustomerSnapshot():
            return None
        case CheckoutSnapshot():
            return snapshot.payment_status
        case _:
            return snapshot.status


def name_action(event: StripeEvent, snapshot: Snapshot) -> Action:
    """Name the effect of an event."""
    match snapshot:
        case SubscriptionSnapshot(status="canceled"):
            return Action.SUBSCRIPTION_CANCELLED
        case DisputeSnapshot(status=status) if status in CLOSED and not event.type.endswith(".created"):
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
    "invoice.voided": Action.INVOICE_CLOSED,
    "invoice.marked_uncollectible": Action.INVOICE_CLOSED,
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


def build_failure_record(delivery: VerifiedDelivery, error: Exception) -> Record:
    """Build the audit record of a delivery that could not be applied; of the error, only its type."""
    return Record(
        event=Action.WEBHOOK_FAILED,
        actor="stripe",
        result=Result.FAILED,
        origin=delivery.origin,
        reason=type(error).__name__[:60],
        object_id=delivery.event.id,
    )
