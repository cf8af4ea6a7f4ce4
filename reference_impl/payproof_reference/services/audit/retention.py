"""The purge: what has outlived its use is removed, table by table (PCI DSS 3.2.1, 10.5.1).

It runs as the role that owns the tables, because the service's own may delete nothing.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, delete, func, select

from payproof_reference.database.engine import open_snapshot
from payproof_reference.database.tables import TableRetention, audit_log, metadata
from payproof_reference.services.audit.chain import BrokenLog, Mark
from payproof_reference.services.audit.log import Action, AuditBrokenError, AuditLog, Record, Result

__all__ = ["count_due", "list_due", "purge"]

DAY = 24 * 3600
# Rows at a time, so that the service never waits long.
BATCH = 5000


def count_due(engine: Engine, now: int) -> dict[str, int]:
    """Count by table what a purge at `now` (seconds since the epoch) would remove; changes nothing."""
    with engine.connect().execution_options(read_only=True) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
            for table, condition in list_due(now)
        }


def purge(engine: Engine, audit: AuditLog, now: int, actor: str) -> dict[str, int]:
    """Remove what is due at `now` (seconds since the epoch), and return how many rows of each table.

    Every batch is one transaction with the record of it. The audit log itself is checked first, and comes last.

    Raises:
        AuditBrokenError: the audit log is broken; evidence must not be removed.
    """
    with open_snapshot(engine) as connection:
        checked = audit.verify(connection)
    if isinstance(checked, BrokenLog):
        raise AuditBrokenError(f"record {checked.sequence}: {checked.fault}")
    removed = {}
    for table, condition in list_due(now):
        removed[table.name] = 0
        done = BATCH
        while done == BATCH:
            with engine.begin() as connection:
                done = remove_batch(connection, audit, table, condition)
                audit.append(connection, build_record(table, done, actor))
            removed[table.name] += done
    return removed


def list_due(now: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Give the tables whose rows end one day, each with the condition for those whose day has come."""
    for table in sorted(metadata.tables.values(), key=lambda one: (one is audit_log, one.name)):
        retention: TableRetention = table.info["retention"]
        if retention.days is None:
            continue
        age = table.c[retention.age]
        # Zero where no event has reported the row yet: its age is unknown, and the event is still to come.
        condition = and_(age > 0, age < now - retention.days * DAY)
        if retention.ended is not None:
            column, values = retention.ended
            condition = and_(condition, table.c[column].in_(values))
        if table is audit_log:
            # From the front only: a gap would break the chain, even if a clock once went backwards.
            kept = select(func.min(table.c.sequence)).where(~condition).scalar_subquery()
            condition = table.c.sequence < func.coalesce(kept, select(func.max(table.c.sequence) + 1).scalar_subquery())
        yield table, condition


def remove_batch(connection: Connection, audit: AuditLog, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete one batch and return its size."""
    (key,) = table.primary_key
    batch = select(key).where(condition).order_by(key).limit(BATCH)
    if table is audit_log:
        audit.lock_end(connection)
        chosen = batch.subquery()
        last = connection.execute(
            select(table.c.sequence, table.c.digest).where(key == select(func.max(chosen.c.sequence)).scalar_subquery())
        ).first()
        if last is None:
            return 0
        audit.move(connection, "start", Mark(*last))
        return connection.execute(delete(table).where(key <= last.sequence)).rowcount
    # The condition again, because the service may have changed a row since it was chosen.
    return connection.execute(delete(table).where(key.in_(batch), condition)).rowcount


def build_record(table: Table, removed: int, actor: str) -> Record:
    """Build the record of one batch."""
    return Record(
        event=Action.RETENTION_PURGED,
        actor=actor,
        result=Result.SUCCESS,
        origin="command line",
        object_id=table.name,
        quantity=removed,
    )
