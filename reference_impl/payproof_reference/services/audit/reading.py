"""Reading the audit log: a tenant's own records, and a record of who read them (PCI DSS 10.2.1.3)."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from payproof_reference.database.paging import RowPage, read_limited
from payproof_reference.database.tables import audit_log
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result

__all__ = ["Filters", "read_records"]

COLUMNS = [column for column in audit_log.c if column.name not in {"digest", "tenant_id"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which records: times in seconds since the epoch, both included; `before` is the sequence of a record."""

    since: int | None = None
    until: int | None = None
    event: Action | None = None
    object_id: str | None = None
    before: int | None = None


def read_records(
    engine: Engine, audit: AuditLog, filters: Filters, limit: int, *, tenant_id: str, actor: str, origin: str
) -> RowPage:
    """Read the newest records of a tenant that meet the filters, and record that they were read.

    Args:
        engine: the database.
        audit: the audit log in it.
        filters: which records.
        limit: at most so many.
        tenant_id: whose records.
        actor: who reads them, by the name in the audit log.
        origin: the address of whoever reads them.

    Raises:
        AuditBrokenError, SQLAlchemyError: the reading cannot be recorded, so nothing is read.
    """
    with engine.begin() as connection:
        found = read_matching(connection, tenant_id, filters, limit)
        audit.append(
            connection,
            Record(
                event=Action.AUDIT_READ,
                actor=actor,
                result=Result.SUCCESS,
                origin=origin,
                quantity=len(found.rows),
                tenant_id=tenant_id,
            ),
        )
    return found


def read_matching(connection: Connection, tenant_id: str, filters: Filters, limit: int) -> RowPage:
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
    return read_limited(connection, statement, limit)
