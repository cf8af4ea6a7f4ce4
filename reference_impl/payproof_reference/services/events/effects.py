"""The effect of one event: the state that it reports is written, unless the database holds what is newer."""

from sqlalchemy import Connection, bindparam, func, select

from payproof_reference.database.tables import audit_log
from payproof_reference.services.events.delivery import EventOutcome, IgnoredReason, Receipt, UndecidedError
from payproof_reference.services.events.webhooks import StripeEvent
from payproof_reference.services.state import ordering, rows
from payproof_reference.services.stripe.snapshots import Snapshot, SubscriptionSnapshot

__all__ = ["apply_snapshot"]

LAST_RECORD = select(func.coalesce(func.max(audit_log.c.sequence), 0))
TOLD_SINCE = select(audit_log.c.sequence).where(
    audit_log.c.sequence > bindparam("since"), audit_log.c.object_id == bindparam("told_of")
)


def apply_snapshot(connection: Connection, event: StripeEvent, snapshot: Snapshot, asked_since: int | None) -> Receipt:
    """Write the state that an event reports, unless the database holds what is newer.

    Args:
        connection: in a transaction.
        event: what reports it.
        snapshot: the state, from the event or from Stripe.
        asked_since: where it is from Stripe, the last audit record before Stripe was asked.

    Raises:
        UndecidedError: the order of two events is not known, or the state changed while Stripe was asked.
    """
    table, row = rows.row_of(snapshot, deleted=event.type.endswith(".deleted"), reported_at=event.created)
    asked = asked_since is not None
    if asked_since is not None:
        known = rows.lock_row(connection, table, row)
        if rows.holds_report(known, row):
            return Receipt(EventOutcome.IGNORED, IgnoredReason.OLDER_THAN_STATE)
        if rows.is_of_same_second(known, row) and is_told_since(connection, snapshot.id, asked_since):
            raise UndecidedError(read_last_record(connection))
    if written := rows.write_row(connection, table, row, asked=asked):
        return Receipt(EventOutcome.APPLIED, tenant_id=written["tenant_id"])
    known = rows.lock_row(connection, table, row)
    if rows.holds_report(known, row):
        return Receipt(EventOutcome.IGNORED, IgnoredReason.NO_CHANGE)
    undecided = isinstance(snapshot, SubscriptionSnapshot) and rows.is_of_same_second(known, row)
    if known is not None and undecided and not ordering.is_final(table, known["status"]):
        raise UndecidedError(read_last_record(connection))
    return Receipt(EventOutcome.IGNORED, IgnoredReason.OLDER_THAN_STATE)


def read_last_record(connection: Connection) -> int:
    """Read the sequence of the last audit record; whoever changes a row that is kept from others writes a later one."""
    last: int = connection.execute(LAST_RECORD).scalar_one()
    return last


def is_told_since(connection: Connection, object_id: str, since: int) -> bool:
    """Tell whether the audit log has a record of an object after the one with the sequence `since`."""
    return connection.execute(TOLD_SINCE, {"since": since, "told_of": object_id}).first() is not None
