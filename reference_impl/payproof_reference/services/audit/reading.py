"""Reading the audit log: a tenant's own records, and a record of who read them (PCI DSS 10.2.1.3)."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from payproof_reference.database.tables import audit_log
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.state.tenant_queries import Page, cut

__all__ = ["Filters", "read"]

COLUMNS = [column for column in audit_log.c if column.name not in {"digest", "tenant_id"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which records: times in seconds since the epoch, both included; `before` is the sequence of a record."""

    since: int | None = None
    until: int | None = None
    event: Action | None = None
    object_id: str | None = None
    before: int | None = None


def read(engine: Engine, audit: AuditLog, principal: Principal, origin: str, filters: Filters, limit: int) -> Page:
    """Read the newest records of the principal's tenant that meet the filters, and record that they were read.

    Raises:
        AuditBrokenError, SQLAlchemyError: the reading cannot be recorded, so nothing is read.
    """
    with engine.begin() as connection:
        found = matching(connection, principal.tenant_id, filters, limit)
        audit.append(
            connection,
            Record(
                event=Action.AUDIT_READ,
                actor=principal.actor,
                result=Result.SUCCESS,
                origin=origin,
                quantity=len(found.rows),
                tenant_id=principal.tenant_id,
            ),
        )
    return found


def matching(connection: Connection, tenant_id: str, filters: Filters, limit: int) -> Page:
    """Read the newest records of a tenant that meet the filters."""
    statement = select(*COLUMNS).where(audit_log.c.tenant_id == tenant_id).order_by(audit_log.c.sequence.desc())
    if filters.since is not None:
        statement = statement.where(audit_log.c.recorded_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(audit_log.c.recorded_at <= filters.until)
    if filters.event is not None:
        statement = statement.where(audit_log.c.event == filters.event)
    if filters.object_id is not None:
        statement = statement.where(audit_log.c.object_id == filters.object_id)
    if filters.before is not None:
        statement = statement.where(audit_log.c.sequence < filters.before)
    return cut(connection, statement, limit)
