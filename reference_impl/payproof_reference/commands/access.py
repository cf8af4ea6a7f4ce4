"""Commands that give access and take it: tenants and credentials.

The service itself may only read both tables, so whoever takes it over cannot let themselves in (PCI DSS 7.2.2, 8.2.4).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from payproof_reference.commands.operator import name_operator, open_as_owner, say
from payproof_reference.database import schema
from payproof_reference.database.tables import tenants
from payproof_reference.services.audit.log import Action, AuditBrokenError, AuditLog, Record, Result
from payproof_reference.services.identity import credentials
from payproof_reference.services.identity.roles import Role
from payproof_reference.settings import (
    CredentialSettings,
    DatabaseSettings,
    MaintenanceSettings,
    MisconfiguredError,
    load_settings,
)
from payproof_reference.text.references import new_reference

__all__ = ["create_credential", "create_tenant", "list_credentials", "revoke_credential"]


def create_tenant() -> int:
    """Create a tenant, and print its id.

    Raises:
        MisconfiguredError: a setting is missing or unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(MaintenanceSettings)
    tenant_id = f"tenant_{new_reference()}"
    with open_change(settings) as (connection, audit):
        connection.execute(tenants.insert().values(tenant_id=tenant_id, created_at=int(time.time())))
        audit.append(connection, build_record(Action.TENANT_CREATED, tenant_id, tenant_id))
    say(tenant_id)
    return os.EX_OK


def create_credential(tenant_id: str, role: Role, days: int) -> int:
    """Create a credential of a tenant for some days, and print its token, which cannot be had again.

    Raises:
        MisconfiguredError: as above, or there is no such tenant.
    """
    settings = load_settings(CredentialSettings)
    with open_change(settings) as (connection, audit):
        if connection.execute(select(tenants).where(tenants.c.tenant_id == tenant_id)).first() is None:
            raise MisconfiguredError("--tenant: there is no such tenant")
        token = credentials.issue_token(connection, settings.credential_key, tenant_id, role, int(time.time()), days)
        audit.append(connection, build_record(Action.CREDENTIAL_CREATED, token.credential_id, tenant_id, role))
    say(token.reveal())
    return os.EX_OK


def revoke_credential(credential_id: str) -> int:
    """Refuse a credential from now on.

    Raises:
        MisconfiguredError: as above, or there is no such credential that was not revoked before.
    """
    settings = load_settings(MaintenanceSettings)
    with open_change(settings) as (connection, audit):
        revoked = credentials.revoke_credential(connection, credential_id, int(time.time()))
        if revoked is None:
            raise MisconfiguredError("ID: there is no such credential, or it was revoked before")
        audit.append(connection, build_record(Action.CREDENTIAL_REVOKED, revoked.credential_id, revoked.tenant_id))
    say(f"revoked {revoked.credential_id}")
    return os.EX_OK


def list_credentials(tenant_id: str | None) -> int:
    """Print all credentials or those of one tenant: id, tenant, role, and when each began, ends and was revoked.

    Raises:
        MisconfiguredError: as above.
    """
    with open_checked(load_settings(DatabaseSettings)) as engine, engine.connect() as connection:
        rows = credentials.list_credentials(connection, tenant_id)
    for row in rows:
        state = (
            f"revoked {write_day(row.revoked_at)}"
            if row.revoked_at is not None
            else f"expires {write_day(row.expires_at)}"
        )
        say(f"{row.credential_id} {row.tenant_id} {row.role} created {write_day(row.created_at)} {state}")
    return os.EX_OK


@contextmanager
def open_change(settings: MaintenanceSettings) -> Iterator[tuple[Connection, AuditLog]]:
    """Give one transaction as the owner of the tables, and the audit log to append to at its end."""
    audit = AuditLog.under(settings)
    with open_checked(settings) as engine, engine.begin() as connection:
        # There may be tenants before the first start of the service.
        audit.begin(connection)
        yield connection, audit


@contextmanager
def open_checked(settings: DatabaseSettings) -> Iterator[Engine]:
    """Give the database as the owner of the tables, and turn what goes wrong with it into a line.

    Raises:
        MisconfiguredError: the database refused, or the end of the audit log is not genuine; nothing was changed.
    """
    engine, _ = open_as_owner(settings)
    try:
        schema.require_schema(engine)
        yield engine
    except (SQLAlchemyError, AuditBrokenError) as error:
        raise MisconfiguredError(f"the command failed and changed nothing: {type(error).__name__}") from None
    finally:
        engine.dispose()


def build_record(event: Action, object_id: str, tenant_id: str, reason: str | None = None) -> Record:
    """Build the audit record of a change."""
    return Record(
        event=event,
        actor=name_operator(),
        result=Result.SUCCESS,
        origin="command line",
        object_id=object_id,
        reason=reason,
        tenant_id=tenant_id,
    )


def write_day(moment: int) -> str:
    """Write the day of a time (UTC)."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
