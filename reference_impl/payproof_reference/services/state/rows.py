"""The rows that snapshots become, and the statements that write and read them.

Statements are built once, because to build one takes longer than to run it.
"""

from functools import cache
from typing import Any, assert_never

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, String, Table, bindparam, select
from sqlalchemy.sql.dml import ReturningInsert

from payproof_reference.database.engine import insert_into
from payproof_reference.database.tables import checkout_sessions, customers, disputes, invoices, payments, subscriptions
from payproof_reference.services.state import ordering
from payproof_reference.services.stripe.snapshots import (
    ChargeSnapshot,
    CheckoutSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    InvoiceSnapshot,
    Snapshot,
    SubscriptionSnapshot,
)

__all__ = ["Row", "holds_report", "is_of_same_second", "lock_row", "row_of", "terms_of", "write_row"]

Row = dict[str, Any]


def row_of(snapshot: Snapshot, *, deleted: bool, reported_at: int) -> tuple[Table, Row]:
    """Lay a snapshot out as a row of its table.

    Args:
        snapshot: the state of an object.
        deleted: whether the object is gone.
        reported_at: when the event that reports it was created, in seconds since the epoch.
    """
    match snapshot:
        case CustomerSnapshot():
            table, row = customers, {"stripe_customer_id": snapshot.id, "deleted": deleted}
        case SubscriptionSnapshot():
            table, row = (
                subscriptions,
                {
                    "stripe_subscription_id": snapshot.id,
                    "stripe_customer_id": snapshot.customer,
                    **terms_of(snapshot),
                    "status": "canceled" if deleted else snapshot.status,
                },
            )
        case InvoiceSnapshot():
            table, row = (
                invoices,
                {
                    "stripe_invoice_id": snapshot.id,
                    "stripe_customer_id": snapshot.customer,
                    "stripe_subscription_id": snapshot.subscription_id,
                    "status": snapshot.status,
                    "amount_due": snapshot.amount_due,
                    "currency": snapshot.currency,
                },
            )
        case ChargeSnapshot():
            table, row = (
                payments,
                {
                    "stripe_charge_id": snapshot.id,
                    "stripe_payment_intent_id": snapshot.payment_intent,
                    "stripe_customer_id": snapshot.customer,
                    "status": snapshot.status,
                    "amount": snapshot.amount,
                    "amount_refunded": snapshot.amount_refunded,
                    "currency": snapshot.currency,
                },
            )
        case DisputeSnapshot():
            table, row = (
                disputes,
                {
                    "stripe_dispute_id": snapshot.id,
                    "stripe_charge_id": snapshot.charge,
                    "status": snapshot.status,
                    "amount": snapshot.amount,
                    "currency": snapshot.currency,
                },
            )
        case CheckoutSnapshot():
            table, row = (
                checkout_sessions,
                {
                    "stripe_checkout_session_id": snapshot.id,
                    "stripe_customer_id": snapshot.customer,
                    "status": snapshot.status,
                    "payment_status": snapshot.payment_status,
                },
            )
        case _:
            assert_never(snapshot)
    return table, row | {"event_created_at": reported_at}


def terms_of(subscription: SubscriptionSnapshot) -> Row:
    """Name the columns of a subscription that change, which an event and an answer report alike."""
    return {
        "stripe_price_id": subscription.price_id,
        "status": subscription.status,
        "current_period_end": subscription.period_end,
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "unit_amount": subscription.unit_amount,
        "currency": subscription.currency,
    }


def write_row(connection: Connection, table: Table, row: Row, *, asked: bool) -> RowMapping | None:
    """Write a row and give the tenant whose it is (or None for nobody's) as `tenant_id`, unless what is there counts.

    Args:
        connection: in a transaction.
        table: where the row belongs.
        row: from `row_of`.
        asked: whether it is Stripe's own answer.

    Returns:
        None when nothing was written.
    """
    whose = row["stripe_charge_id"] if table is disputes else row["stripe_customer_id"]
    statement = build_upsert(connection.dialect.name, table, asked=asked)
    return connection.execute(statement, row | {"whose": whose}).mappings().first()


@cache
def build_upsert(dialect: str, table: Table, *, asked: bool) -> ReturningInsert[Any]:
    """Build the statement that inserts a row, or replaces it when what it reports counts."""
    statement = insert_into(dialect, table)
    # Whose a customer is events never say.
    reported = {column.name: statement.excluded[column.name] for column in table.c if column.name != "tenant_id"}
    counts = ordering.is_newer(table, statement.excluded, asked=asked)
    replacing = statement.on_conflict_do_update(index_elements=table.primary_key, set_=reported, where=counts)
    return replacing.returning(build_tenant_query(table).label("tenant_id"))


def build_tenant_query(table: Table) -> ColumnElement[str | None]:
    """Build the question whose a row is: the tenant of its customer; of a dispute, that of the payment's."""
    if table is customers:
        return customers.c.tenant_id
    customer: ColumnElement[str | None] = bindparam("whose", type_=String)
    if table is disputes:
        # No join: within RETURNING, SQLAlchemy names columns without their tables on SQLite.
        paid = select(payments.c.stripe_customer_id).where(payments.c.stripe_charge_id == customer)
        customer = paid.scalar_subquery()
    return select(customers.c.tenant_id).where(customers.c.stripe_customer_id == customer).scalar_subquery()


def lock_row(connection: Connection, table: Table, row: Row) -> RowMapping | None:
    """Read what the database holds of an object, and keep it from others until the transaction ends."""
    (key,) = table.primary_key
    return connection.execute(build_lock_query(table), {"key": row[key.name]}).mappings().first()


@cache
def build_lock_query(table: Table) -> Select[Any]:
    """Build the statement that reads a row; on SQLite the one write lock keeps it from others."""
    (key,) = table.primary_key
    return select(table).where(key == bindparam("key")).with_for_update()


def holds_report(known: RowMapping | None, row: Row) -> bool:
    """Tell whether the database holds all that is reported."""
    return known is not None and all(known[name] == value for name, value in row.items())


def is_of_same_second(known: RowMapping | None, row: Row) -> bool:
    """Tell whether what the database holds was reported in the same second."""
    return known is not None and known["event_created_at"] == row["event_created_at"]
