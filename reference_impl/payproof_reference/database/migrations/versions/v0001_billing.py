"""The inbox, and the state of billing."""

import sqlalchemy as sa
from alembic import op

from payproof_reference.database.migrations.grants import grant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("stripe_event_id", sa.String(255), nullable=False),
        sa.Column("event_type", sa.String(100), nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.PrimaryKeyConstraint("stripe_event_id", name="pk_inbox"),
        time_in("inbox", "event_created_at"),
        time_in("inbox", "received_at"),
    )
    op.create_table(
        "customers",
        sa.Column("stripe_customer_id", sa.String(255), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_customer_id", name="pk_customers"),
        time_in("customers", "event_created_at"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("stripe_subscription_id", sa.String(255), nullable=False),
        sa.Column("stripe_customer_id", sa.String(255), nullable=False),
        sa.Column("stripe_price_id", sa.String(255)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("current_period_end", sa.BigInteger),
        sa.Column("cancel_at_period_end", sa.Boolean, nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_subscription_id", name="pk_subscriptions"),
        time_in("subscriptions", "current_period_end"),
        time_in("subscriptions", "event_created_at"),
    )
    op.create_index("ix_subscriptions_stripe_customer_id", "subscriptions", ["stripe_customer_id"])
    op.create_table(
        "invoices",
        sa.Column("stripe_invoice_id", sa.String(255), nullable=False),
        sa.Column("stripe_customer_id", sa.String(255), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(255)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("amount_due", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_invoice_id", name="pk_invoices"),
        sa.CheckConstraint("amount_due > -1000000000000 AND amount_due < 1000000000000", "ck_invoices_amount_due"),
        time_in("invoices", "event_created_at"),
    )
    op.create_index("ix_invoices_stripe_customer_id", "invoices", ["stripe_customer_id"])
    op.create_index("ix_invoices_stripe_subscription_id", "invoices", ["stripe_subscription_id"])
    grant("SELECT, INSERT, UPDATE", "inbox", "customers", "subscriptions", "invoices")
    grant("SELECT", "alembic_version")


def downgrade() -> None:
    for table in ("invoices", "subscriptions", "customers", "inbox"):
        op.drop_table(table)


def time_in(table: str, column: str) -> sa.CheckConstraint:
    """Hold a column to times that Stripe sends, of which none has as many digits as a card number."""
    return sa.CheckConstraint(f"{column} >= 0 AND {column} < 100000000000", f"ck_{table}_{column}")
