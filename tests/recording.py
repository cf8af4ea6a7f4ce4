"""Recording one event as the webhook records it, without the webhook."""

from sqlalchemy import Engine

from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events import event_types, transactions
from payproof_reference.services.events.delivery import Account, Receipt, VerifiedDelivery
from payproof_reference.services.events.webhooks import StripeEvent

__all__ = ["record_event"]


def record_event(
    engine: Engine,
    audit: AuditLog,
    event: StripeEvent,
    *,
    livemode: bool,
    received_at: int,
    origin: str,
    account: str | None = None,
) -> Receipt:
    """Record an event in a transaction of its own, or raise what its sender would have been answered for."""
    delivery = VerifiedDelivery(event, event_types.read_snapshot(event), received_at, origin)
    outcome = transactions.record_alone(engine, audit, delivery, Account(livemode, account))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
