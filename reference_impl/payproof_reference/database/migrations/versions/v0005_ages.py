"""Indexes for the purge of operations and of failed sign-ins; the service runs with them and without them."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_operations_created_at", "operations", ["created_at"])
    op.create_index("ix_sign_in_failures_last_failed_at", "sign_in_failures", ["last_failed_at"])


def downgrade() -> None:
    op.drop_index("ix_sign_in_failures_last_failed_at", "sign_in_failures")
    op.drop_index("ix_operations_created_at", "operations")
