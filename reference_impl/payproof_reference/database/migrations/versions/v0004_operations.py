"""Tenants, their credentials, and what was asked of Stripe on their behalf; payments, disputes, Checkout sessions."""

import sqlalchemy as sa
from alembic import op

from payproof_reference.database.migrations.grants import grant

revision = "0004"
down_revision = "0003"

MADE = (
    "tenants",
    "credentials",
    "sign_in_failures",
    "payments",
    "disputes",
    "checkout_sessions",
    "operations",
)


def upgrade() -> None:
    tenancy()
    money()
    asked()
    # Added at the end of older tables, where null means that nobody knew yet.
    op.add_column("customers", sa.Column("tenant_id", sa.String(40)))
    op.create_index("ix_customers_tenant_id", "customers", ["tenant_id"])
    op.add_column("audit_log", sa.Column("tenant_id", sa.String(40)))
    op.create_index("ix_audit_log_tenant_id", "audit_log", ["tenant_id"])
    op.add_column("subscriptions", sa.Column("currency", sa.String(3)))
    grant("SELECT", "tenants", "credentials")
    grant("SELECT, INSERT, UPDATE", *MADE[2:])
    # One that signed in has failed no more.
    grant("DELETE", "sign_in_failures")


def downgrade() -> None:
    op.drop_column("subscriptions", "currency")
    op.drop_column("subscriptions", "unit_amount")
    for table in ("audit_log", "customers"):
        op.drop_index(f"ix_{table}_tenant_id", table)
        op.drop_column(table, "tenant_id")
    for table in reversed(MADE):
        op.drop_table(table)


def tenancy() -> None:
    """Make the tables of who may do what."""
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
        time_in("tenants", "created_at"),
    )
    op.create_table(
        "credentials",
        sa.Column("credential_id", sa.String(40), nullable=False),
        sa.Column("tenant_id", sa.String(40), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("secret_digest", sa.String(43), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("credential_id", name="pk_credentials"),
        time_in("credentials", "created_at"),
        time_in("credentials", "expires_at"),
        time_in("credentials", "revoked_at"),
    )
    op.create_index("ix_credentials_tenant_id", "credentials", ["tenant_id"])
    op.create_table(
        "sign_in_failures",
        sa.Column("party", sa.String(120), nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("last_failed_at", sa.BigInteger, nullable=False),
        sa.Column("locked_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("party", name="pk_sign_in_failures"),
        number_in("sign_in_failures", "failures"),
        time_in("sign_in_failures", "last_failed_at"),
        time_in("sign_in_failures", "locked_until"),
    )


def money() -> None:
    """Make the tables of what was paid, disputed and bought."""
    op.create_table(
        "payments",
        sa.Column("stripe_charge_id", sa.String(255), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(255)),
        sa.Column("stripe_customer_id", sa.String(255)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("amount_refunded", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_charge_id", name="pk_payments"),
        number_in("payments", "amount"),
        number_in("payments", "amount_refunded"),
        time_in("payments", "event_created_at"),
    )
    for column in ("stripe_payment_intent_id", "stripe_customer_id"):
        op.create_index(f"ix_payments_{column}", "payments", [column])
    op.create_table(
        "disputes",
        sa.Column("stripe_dispute_id", sa.String(255), nullable=False),
        sa.Column("stripe_charge_id", sa.String(255), nullable=False),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_dispute_id", name="pk_disputes"),
        number_in("disputes", "amount"),
        time_in("disputes", "event_created_at"),
    )
    op.create_index("ix_disputes_stripe_charge_id", "disputes", ["stripe_charge_id"])
    op.create_table(
        "checkout_sessions",
        sa.Column("stripe_checkout_session_id", sa.String(255), nullable=False),
        sa.Column("stripe_customer_id", sa.String(255)),
        sa.Column("status", sa.String(20)),
        sa.Column("payment_status", sa.String(30), nullable=False),
        sa.Column("event_created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("stripe_checkout_session_id", name="pk_checkout_sessions"),
        time_in("checkout_sessions", "event_created_at"),
    )
    op.create_index("ix_checkout_sessions_stripe_customer_id", "checkout_sessions", ["stripe_customer_id"])
    # One statement, because SQLite adds a constraint together with its column or not at all.
    op.execute(
        "ALTER TABLE subscriptions ADD COLUMN unit_amount BIGINT CONSTRAINT ck_subscriptions_unit_amount"
        " CHECK (unit_amount > -1000000000000 AND unit_amount < 1000000000000)"
    )


def asked() -> None:
    """Make the table of operations."""
    times = ("created_at", "next_attempt_at", "claimed_until", "finished_at")
    op.create_table(
        "operations",
        sa.Column("operation_id", sa.String(40), nullable=False),
        sa.Column("tenant_id", sa.String(40), nullable=False),
        sa.Column("credential_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("category", sa.String(30)),
        sa.Column("client_key", sa.String(43)),
        sa.Column("request_digest", sa.String(43), nullable=False),
        sa.Column("stripe_customer_id", sa.String(255)),
        sa.Column("stripe_subscription_id", sa.String(255)),
        sa.Column("stripe_price_id", sa.String(255)),
        sa.Column("stripe_payment_intent_id", sa.String(255)),
        sa.Column("amount", sa.BigInteger),
        sa.Column("stripe_result_id", sa.String(255)),
        sa.Column("result_status", sa.String(20)),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=name != "created_at") for name in times),
        sa.PrimaryKeyConstraint("operation_id", name="pk_operations"),
        number_in("operations", "amount"),
        number_in("operations", "attempts"),
        *(time_in("operations", name) for name in times),
    )
    op.create_index("ix_operations_tenant_id", "operations", ["tenant_id"])
    op.create_index("ix_operations_next_attempt_at", "operations", ["next_attempt_at"])
    op.create_index("ix_operations_client_key", "operations", ["client_key"], unique=True)


def number_in(table: str, column: str) -> sa.CheckConstraint:
    """Hold a column to numbers with fewer digits than a card number."""
    return sa.CheckConstraint(f"{column} > -1000000000000 AND {column} < 1000000000000", f"ck_{table}_{column}")


def time_in(table: str, column: str) -> sa.CheckConstraint:
    """Hold a column to times that Stripe sends, of which none has as many digits as a card number."""
    return sa.CheckConstraint(f"{column} >= 0 AND {column} < 100000000000", f"ck_{table}_{column}")
