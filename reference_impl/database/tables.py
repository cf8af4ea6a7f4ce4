"""The tables: Stripe ids, statuses, amounts and times, and nothing else (PCI DSS 3.2.1, 3.3.1, 3.4.1).

Every time is in seconds since the epoch, UTC, as Stripe sends it. Stripe delivers in any order, so no table demands
that the object which it refers to has been seen.
"""

from sqlalchemy import BigInteger, Boolean, Column, MetaData, String, Table

__all__ = ["customers", "inbox", "invoices", "metadata", "subscriptions"]

LONGEST_ID = 255

metadata = MetaData()

# One row per event that was accepted: what makes a second delivery of it harmless.
inbox = Table(
    "inbox",
    metadata,
    Column("stripe_event_id", String(LONGEST_ID), primary_key=True),
    Column("event_type", String(100), nullable=False),
    Column("event_created_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(40)),
)

# In the tables below `event_created_at` is the time of the newest event that was applied to the row.
customers = Table(
    "customers",
    metadata,
    Column("stripe_customer_id", String(LONGEST_ID), primary_key=True),
    Column("deleted", Boolean, nullable=False),
    Column("event_created_at", BigInteger, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("stripe_subscription_id", String(LONGEST_ID), primary_key=True),
    Column("stripe_customer_id", String(LONGEST_ID), nullable=False, index=True),
    Column("stripe_price_id", String(LONGEST_ID)),
    Column("status", String(20), nullable=False),
    Column("current_period_end", BigInteger),
    Column("cancel_at_period_end", Boolean, nullable=False),
    Column("event_created_at", BigInteger, nullable=False),
)

invoices = Table(
    "invoices",
    metadata,
    Column("stripe_invoice_id", String(LONGEST_ID), primary_key=True),
    Column("stripe_customer_id", String(LONGEST_ID), nullable=False, index=True),
    Column("stripe_subscription_id", String(LONGEST_ID), index=True),
    Column("status", String(20), nullable=False),
    Column("amount_due", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("event_created_at", BigInteger, nullable=False),
)
