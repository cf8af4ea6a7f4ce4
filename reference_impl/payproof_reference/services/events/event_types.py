"""The types of events that the service handles, and the billing object that each carries."""

from pydantic import ValidationError

from payproof_reference.services.events.webhooks import Cause, RejectedError, StripeEvent
from payproof_reference.services.stripe.snapshots import (
    ChargeSnapshot,
    CheckoutSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    InvoiceSnapshot,
    Snapshot,
    SubscriptionSnapshot,
)

__all__ = ["read_snapshot"]

SUBSCRIPTION_PREFIX = "customer.subscription."
MODELS: dict[str, type[Snapshot]] = {
    **dict.fromkeys(("customer.created", "customer.updated", "customer.deleted"), CustomerSnapshot),
    **dict.fromkeys(
        ("invoice.paid", "invoice.payment_failed", "invoice.voided", "invoice.marked_uncollectible"), InvoiceSnapshot
    ),
    **dict.fromkeys(("charge.succeeded", "charge.failed", "charge.refunded"), ChargeSnapshot),
    **dict.fromkeys(("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"), DisputeSnapshot),
    "checkout.session.completed": CheckoutSnapshot,
    "checkout.session.async_payment_succeeded": CheckoutSnapshot,
    "checkout.session.async_payment_failed": CheckoutSnapshot,
    "checkout.session.expired": CheckoutSnapshot,
}


def read_snapshot(event: StripeEvent) -> Snapshot | None:
    """Read the object of an event, or None when the service does not handle the type.

    Raises:
        RejectedError: NOT_AN_EVENT when a handled type carries an object of another shape. An explicit refusal, which
            Stripe repeats and reports, is better than a success without effect.
    """
    model = SubscriptionSnapshot if event.type.startswith(SUBSCRIPTION_PREFIX) else MODELS.get(event.type)
    try:
        return None if model is None else model.model_validate(event.data.object)
    except ValidationError:
        raise RejectedError(Cause.NOT_AN_EVENT) from None
