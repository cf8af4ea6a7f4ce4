"""The schema: its migrations, and the check that this release can run on the database."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from payproof_reference.settings import MisconfiguredError

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["HEAD", "RUNS_ON", "downgrade", "read_revision", "require_narrow_role", "require_schema", "upgrade"]

# The schemas on which this release runs, newest last. More than one, so that a release can be taken into service
# before its migration and rolled back after it.
RUNS_ON = ("0004", "0005")
HEAD = RUNS_ON[-1]
# Two migrations at once wait for each other. The number is arbitrary; SQLite has its one write lock.
LOCK = "SELECT pg_advisory_xact_lock(7140112)"


def upgrade(engine: Engine, service_role: str | None = None, to: str = "head") -> None:
    """Bring the schema to a revision, whole or not at all.

    Args:
        engine: the database, as the role that owns or will own the tables.
        service_role: the PostgreSQL role that is granted what the service needs; of no meaning on SQLite.
        to: the revision; the newest by default.
    """
    if to in ("head", HEAD) and read_revision(engine) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - most starts find the schema up to date, and need not wait for this

    with engine.begin() as connection:
        command.upgrade(build_configuration(connection, service_role), to)


def downgrade(engine: Engine, to: str) -> None:
    """Take the schema back to a revision, or to nothing with `base`; what later tables held is lost.

    Raises:
        MisconfiguredError: there is no such revision before this one.
    """
    from alembic import command  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    try:
        with engine.begin() as connection:
            command.downgrade(build_configuration(connection, None), to)
    except CommandError:
        raise MisconfiguredError("--down-to: no such revision before this one") from None


def build_configuration(connection: Connection, service_role: str | None) -> "Config":
    """Build what Alembic reads from alembic.ini elsewhere; takes the lock that keeps other migrations out."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    if connection.dialect.name == "postgresql":
        connection.execute(text(LOCK))
    config = Config()
    config.set_main_option("script_location", "payproof_reference.database:migrations")
    config.attributes.update(connection=connection, service_role=service_role)
    return config


def read_revision(engine: Engine) -> str | None:
    """Read which migration was run last, or None before the first."""
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_schema(engine: Engine) -> None:
    """Return only when this release runs on the schema.

    Raises:
        MisconfiguredError: it does not, or the schema cannot be read.
    """
    try:
        found = read_revision(engine)
    except SQLAlchemyError:
        raise MisconfiguredError("BILLING_DATABASE_URL: the schema cannot be read") from None
    if found not in RUNS_ON:
        raise MisconfiguredError(
            f"BILLING_DATABASE_URL: the schema is at revision {found}, which is none of {', '.join(RUNS_ON)}: "
            "run `python -m payproof_reference migrate`"
        )


def require_narrow_role(engine: Engine) -> None:
    """Return only when the role of the service cannot change what the audit log says (PCI DSS 7.2.5, 10.3.2).

    SQLite has no roles: whoever can write the file can write all of it, and what shows a change is the chain.

    Raises:
        MisconfiguredError: the role owns the table, belongs to its owner, or may update or delete.
    """
    if engine.dialect.name != "postgresql":
        return
    question = """
        SELECT has_table_privilege('audit_log', 'DELETE, TRUNCATE, TRIGGER')
            OR has_any_column_privilege('audit_log', 'UPDATE')
            OR EXISTS (
                SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND pg_has_role(relowner, 'MEMBER')
            )
    """
    try:
        with engine.connect() as connection:
            wide = connection.execute(text(question)).scalar()
    except SQLAlchemyError:
        raise MisconfiguredError("BILLING_DATABASE_URL: the rights of the role cannot be read") from None
    if wide:
        raise MisconfiguredError(
            "BILLING_DATABASE_URL: the role owns a table or can change the audit log; the service needs another one"
        )
