"""The audit log, to which records can be added and nothing else."""

import sqlalchemy as sa
from alembic import op

from payproof_reference.database.migrations.grants import grant

revision = "0002"
down_revision = "0001"

# On PostgreSQL the service's role lacks the right. A purge first moves the start of the chain, then deletes up to it.
TRIGGERS = (
    """
    CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    WHEN OLD.sequence > coalesce((SELECT sequence FROM audit_anchors WHERE name = 'start'), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_anchors_no_delete BEFORE DELETE ON audit_anchors
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(60)),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("object_id", sa.String(255)),
        sa.Column("reference", sa.String(255)),
        sa.Column("quantity", sa.BigInteger),
        sa.Column("digest", sa.String(43), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_log"),
        number_in("audit_log", "sequence"),
        sa.CheckConstraint("recorded_at >= 0 AND recorded_at < 100000000000", "ck_audit_log_recorded_at"),
        number_in("audit_log", "quantity"),
    )
    op.create_table(
        "audit_anchors",
        sa.Column("name", sa.String(10), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(43), nullable=False),
        sa.Column("seal", sa.String(43), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_audit_anchors"),
        number_in("audit_anchors", "sequence"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for trigger in TRIGGERS:
            op.execute(trigger)
    grant("SELECT, INSERT", "audit_log")
    grant("SELECT, INSERT, UPDATE", "audit_anchors")


def downgrade() -> None:
    op.drop_table("audit_log")
    op.drop_table("audit_anchors")


def number_in(table: str, column: str) -> sa.CheckConstraint:
    """Hold a column to numbers with fewer digits than a card number."""
    return sa.CheckConstraint(f"{column} > -1000000000000 AND {column} < 1000000000000", f"ck_{table}_{column}")
