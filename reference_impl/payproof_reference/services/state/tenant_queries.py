"""Queries of what a tenant owns: customers, and through them subscriptions, payments, invoices and Checkout sessions.

`customers.tenant_id` is the one place that says whose anything is, and every query here goes through it. So what is
another's and what does not exist are looked for in the same way, and found in none.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, exists, func, select

from payproof_reference.database.paging import RowPage, read_limited
from payproof_reference.database.tables import (
    checkout_sessions,
    customers,
    disputes,
    invoices,
    payments,
    subscriptions,
)
from payproof_reference.services.refusals import Refusal, RefusedError

__all__ = [
    "CHECKOUT_SESSIONS",
    "CUSTOMERS",
    "INVOICES",
    "PAYMENTS",
    "SUBSCRIPTIONS",
    "TenantQuery",
    "lock_customer",
    "read_one",
    "read_page",
    "read_refundable",
]


@dataclass(frozen=True, slots=True)
class TenantQuery:
    """The query of one kind of object: its rows, their ids, and their customers."""

    rows: Select[Any]
    id: Column[str]
    customer_id: Column[str]


def build_query(id_: Column[str], customer_id: Column[str], *columns: ColumnElement[Any]) -> TenantQuery:
    """Build a holding whose rows have the given columns, and the ids under their short names."""
    rows = select(id_.label("id"), customer_id.label("customer_id"), *columns)
    return TenantQuery(
        rows.join_from(id_.table, customers, customers.c.stripe_customer_id == customer_id), id_, customer_id
    )


CUSTOMERS = TenantQuery(
    select(customers.c.stripe_customer_id.label("id"), customers.c.deleted),
    customers.c.stripe_customer_id,
    customers.c.stripe_customer_id,
)
SUBSCRIPTIONS = build_query(
    subscriptions.c.stripe_subscription_id,
    subscriptions.c.stripe_customer_id,
    subscriptions.c.stripe_price_id.label("price_id"),
    subscriptions.c.status,
    subscriptions.c.unit_amount,
    subscriptions.c.currency,
    subscriptions.c.current_period_end,
    subscriptions.c.cancel_at_period_end,
    customers.c.deleted.label("customer_deleted"),
)
INVOICES = build_query(
    invoices.c.stripe_invoice_id,
    invoices.c.stripe_customer_id,
    invoices.c.stripe_subscription_id.label("subscription_id"),
    invoices.c.status,
    invoices.c.amount_due,
    invoices.c.currency,
)
# A dispute that was won, or was only a warning or prevented, no longer counts against the payment.
DISPUTED = exists().where(
    disputes.c.stripe_charge_id == payments.c.stripe_charge_id,
    disputes.c.status.not_in(("won", "warning_closed", "prevented")),
)
PAYMENTS = build_query(
    payments.c.stripe_charge_id,
    payments.c.stripe_customer_id,
    payments.c.stripe_payment_intent_id.label("payment_intent_id"),
    payments.c.status,
    payments.c.amount,
    payments.c.amount_refunded,
    payments.c.currency,
    DISPUTED.label("disputed"),
)
CHECKOUT_SESSIONS = build_query(
    checkout_sessions.c.stripe_checkout_session_id,
    checkout_sessions.c.stripe_customer_id,
    checkout_sessions.c.status,
    checkout_sessions.c.payment_status,
)


def read_one(connection: Connection, holding: TenantQuery, tenant_id: str, id_: str) -> RowMapping:
    """Read one thing of a tenant's.

    Raises:
        RefusedError: NOT_FOUND, when there is none or it is another tenant's.
    """
    statement = holding.rows.where(customers.c.tenant_id == tenant_id, holding.id == id_)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise RefusedError(Refusal.NOT_FOUND)
    return row


def read_page(
    connection: Connection,
    holding: TenantQuery,
    tenant_id: str,
    *,
    limit: int,
    starting_after: str | None = None,
    customer_id: str | None = None,
) -> RowPage:
    """Read up to `limit` things of a tenant's, or of one of its customers, by their ids, after the one that is named.

    Raises:
        RefusedError: NOT_FOUND, when the tenant has no such customer.
    """
    statement = holding.rows.where(customers.c.tenant_id == tenant_id).order_by(holding.id)
    if customer_id is not None:
        read_one(connection, CUSTOMERS, tenant_id, customer_id)
        statement = statement.where(holding.customer_id == customer_id)
    if starting_after is not None:
        statement = statement.where(holding.id > starting_after)
    return read_limited(connection, statement, limit)


def lock_customer(connection: Connection, tenant_id: str, id_: Column[str], value: str) -> str:
    """Find the customer of the row with an id, and lock it until the transaction ends; SQLite has locked everything.

    Raises:
        RefusedError: NOT_FOUND, when there is no such row or it is another tenant's.
    """
    customer_id = id_.table.c.stripe_customer_id
    statement = select(customers.c.stripe_customer_id).where(
        customers.c.tenant_id == tenant_id, customers.c.stripe_customer_id == customer_id, id_ == value
    )
    found = connection.execute(statement.with_for_update(of=customers)).scalar()
    if found is None:
        raise RefusedError(Refusal.NOT_FOUND)
    return str(found)


def read_refundable(connection: Connection, payment_intent_id: str) -> int:
    """Compute what is left of a payment, in the currency's smallest unit.

    An intent has a charge for each attempt to pay, of which one at most succeeded.
    """
    left = select(func.max(payments.c.amount - payments.c.amount_refunded)).where(
        payments.c.stripe_payment_intent_id == payment_intent_id, payments.c.status == "succeeded"
    )
    return connection.execute(left).scalar() or 0
