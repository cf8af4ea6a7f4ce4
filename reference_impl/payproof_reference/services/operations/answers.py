"""Writes Stripe's answers into the state of billing: callers see them at once, and events have the last word.

An answer carries no time, and one that is repeated under its idempotency key is as old as the first attempt. So it
never replaces what a newer event said, never moves the time of the row, and never revives what has ended.
"""

from typing import assert_never

from sqlalchemy import Connection

from payproof_reference.database.engine import insert
from payproof_reference.database.tables import customers, subscriptions
from payproof_reference.services.operations.queue import Kind, OperationRow
from payproof_reference.services.state.ordering import ENDED
from payproof_reference.services.state.rows import terms_of
from payproof_reference.services.stripe.port import RefundSnapshot
from payproof_reference.services.stripe.snapshots import CustomerSnapshot, SubscriptionSnapshot

__all__ = ["Answer", "apply_answer"]

Answer = CustomerSnapshot | SubscriptionSnapshot | RefundSnapshot


def apply_answer(connection: Connection, operation: OperationRow, answer: Answer, since: int) -> None:
    """Write what an answer reports.

    Args:
        connection: the transaction that finishes the operation.
        operation: what was asked.
        answer: Stripe's.
        since: when it may first have been given, in seconds since the epoch; what events reported later stays.
    """
    match answer:
        case CustomerSnapshot():
            adopt_customer(connection, answer, operation.tenant_id)
        case SubscriptionSnapshot() if operation.kind is Kind.CREATE_SUBSCRIPTION:
            insert_subscription(connection, answer, operation)
        case SubscriptionSnapshot():
            update_subscription(connection, answer, operation, since)
        case RefundSnapshot():
            # Only the event tells the sum of all refunds; a part that is added here could be counted twice.
            pass
        case _:
            assert_never(answer)


def adopt_customer(connection: Connection, customer: CustomerSnapshot, tenant_id: str) -> None:
    """Write whose a new customer is; its event may have come first, and knows nothing of tenants."""
    statement = insert(connection, customers).values(
        stripe_customer_id=customer.id, deleted=False, event_created_at=0, tenant_id=tenant_id
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=customers.primary_key,
            set_={"tenant_id": statement.excluded.tenant_id},
            where=customers.c.tenant_id.is_(None),
        )
    )


def insert_subscription(connection: Connection, subscription: SubscriptionSnapshot, operation: OperationRow) -> None:
    """Write a new subscription, unless its event came first."""
    statement = insert(connection, subscriptions).values(
        stripe_subscription_id=subscription.id,
        stripe_customer_id=operation.stripe_customer_id,
        event_created_at=0,
        **terms_of(subscription),
    )
    connection.execute(statement.on_conflict_do_nothing())


def update_subscription(
    connection: Connection, subscription: SubscriptionSnapshot, operation: OperationRow, since: int
) -> None:
    """Write the new state of a subscription that has not ended, unless an event reported a newer one."""
    statement = subscriptions.update().where(
        subscriptions.c.stripe_subscription_id == operation.stripe_subscription_id,
        subscriptions.c.event_created_at <= since,
        subscriptions.c.status.not_in(ENDED),
    )
    connection.execute(statement.values(terms_of(subscription)))
