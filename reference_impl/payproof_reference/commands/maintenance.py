"""Commands that keep the database in order: migration, purge, and the check of the audit log."""

import os
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from payproof_reference.commands.operator import name_operator, open_as_owner, say
from payproof_reference.database import inventory, schema
from payproof_reference.database.engine import open_database, open_snapshot
from payproof_reference.services.audit import retention
from payproof_reference.services.audit.chain import IntactLog, Mark
from payproof_reference.services.audit.log import Action, AuditBrokenError, AuditLog, Record, Result
from payproof_reference.settings import DatabaseSettings, MaintenanceSettings, MisconfiguredError, load_settings

__all__ = ["exchange_audit_key", "migrate", "purge", "require_sqlite", "show_inventory", "verify_audit"]

BROKEN = 1


def migrate(down_to: str | None) -> int:
    """Bring the schema to the newest revision, or take it back.

    Raises:
        MisconfiguredError: a setting is missing, or the database refuses.
    """
    settings = load_settings(DatabaseSettings)
    engine, service_role = open_as_owner(settings)
    try:
        if down_to is None:
            schema.upgrade(engine, service_role)
        else:
            schema.downgrade(engine, down_to)
        say(f"schema: {schema.read_revision(engine) or 'none'}")
    except SQLAlchemyError as error:
        raise MisconfiguredError(f"the migration failed and changed nothing: {type(error).__name__}") from None
    finally:
        engine.dispose()
    return os.EX_OK


def verify_audit(kept: Mark | None) -> int:
    """Check the audit log, and print what to keep in another place for the next check; 1 when it is broken.

    Raises:
        MisconfiguredError: a setting is missing or unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(MaintenanceSettings)
    engine = open_database(settings.database_url.get_secret_value(), patient=True)
    try:
        schema.require_schema(engine)
        with open_snapshot(engine) as connection:
            checked = AuditLog.under(settings).verify(connection, kept)
    finally:
        engine.dispose()
    if isinstance(checked, IntactLog):
        say(f"intact: {checked.records} records; keep {checked.end.sequence}:{checked.end.digest}")
        return os.EX_OK
    say(f"broken at record {checked.sequence}: {checked.fault}")
    return BROKEN


def purge(*, dry_run: bool) -> int:
    """Remove what has outlived its retention, or only count it; 1 when the audit log is broken and nothing is removed.

    Raises:
        MisconfiguredError: a setting is missing or unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(MaintenanceSettings)
    engine, _ = open_as_owner(settings)
    now = int(time.time())
    try:
        schema.require_schema(engine)
        if dry_run:
            removed = retention.count_due(engine, now)
        else:
            removed = retention.purge(engine, AuditLog.under(settings), now, name_operator())
    except AuditBrokenError as error:
        say(f"the audit log is broken, so nothing is removed: {error}")
        return BROKEN
    finally:
        engine.dispose()
    for table, rows in removed.items():
        say(f"{table}: {rows} rows {'are due' if dry_run else 'removed'}")
    return os.EX_OK


def exchange_audit_key() -> int:
    """Let the audit log go on under BILLING_AUDIT_KEY instead of the last of BILLING_AUDIT_PREVIOUS_KEYS.

    Services that still have the old key refuse to do anything from then on, until they are started with the new one.

    Raises:
        MisconfiguredError: a setting is missing or unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(MaintenanceSettings)
    engine, _ = open_as_owner(settings)
    exchanged = Record(
        event=Action.AUDIT_KEY_EXCHANGED, actor=name_operator(), result=Result.SUCCESS, origin="command line"
    )
    try:
        schema.require_schema(engine)
        with engine.begin() as connection:
            AuditLog.under(settings).exchange_key(connection, exchanged)
    except AuditBrokenError as error:
        say(f"the key was not exchanged: {error}")
        return BROKEN
    finally:
        engine.dispose()
    say("exchanged: start the service with the new key, and keep the old one for checks while its records last")
    return os.EX_OK


def show_inventory() -> int:
    """Print what is stored, why, and for how long."""
    say(inventory.write_inventory().rstrip())
    return os.EX_OK


def require_sqlite(engine: Engine) -> None:
    """Return only on SQLite.

    Raises:
        MisconfiguredError: on PostgreSQL the service's role cannot migrate, and must not be able to.
    """
    if engine.dialect.name != "sqlite":
        raise MisconfiguredError(
            "BILLING_MIGRATE: for SQLite only; run `python -m payproof_reference migrate` as the owner"
        )
