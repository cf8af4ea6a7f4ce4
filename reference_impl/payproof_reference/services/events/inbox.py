"""What events do to the state of billing: each event once, and each wholly or not at all."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, Update, bindparam, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.dml import ReturningInsert

from payproof_reference.database.engine import insert_into
from payproof_reference.database.tables import audit_log, inbox
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events.delivery import (
    Account,
    Delivery,
    Outcome,
    Reason,
    Receipt,
    UndecidedError,
    failure,
    told,
)
from payproof_reference.services.events.webhooks import Event
from payproof_reference.services.state import ordering, rows
from payproof_reference.services.stripe import snapshots
from payproof_reference.services.stripe.snapshots import Snapshot, Subscription

__all__ = [
    "Outcome",
    "Reason",
    "Receipt",
    "alone",
    "apply",
    "attempt",
    "claim",
    "has_right_account",
    "has_right_mode",
    "record",
    "settle",
    "take",
]

LAST_RECORD = select(func.coalesce(func.max(audit_log.c.sequence), 0))
TOLD_SINCE = select(audit_log.c.sequence).where(
    audit_log.c.sequence > bindparam("since"), audit_log.c.object_id == bindparam("told_of")
)


def record(
    engine: Engine,
    audit: AuditLog,
    event: Event,
    *,
    livemode: bool,
    received_at: int,
    origin: str,
    account: str | None = None,
) -> Receipt:
    """Take one event into the inbox, apply it and enter it in the audit log: all or nothing.

    An event of the other mode, or of another account, is acknowledged and ignored: to refuse it would only make Stripe
    repeat it.

    Args:
        engine: the database.
        audit: the audit log in it.
        event: verified and parsed.
        livemode: the mode of this service.
        received_at: seconds since the epoch.
        origin: the address that delivered it.
        account: the account of this service at Stripe, where it was told.

    Raises:
        RejectedError: the object in the event is not what its type says.
        UndecidedError: nothing was recorded; Stripe has to be asked.
        SQLAlchemyError: nothing was recorded, so the event has to be sent again.
    """
    delivery = Delivery(event, snapshots.read(event), received_at, origin)
    became = alone(engine, audit, delivery, Account(livemode, account))
    if isinstance(became, Exception):
        raise became
    return became


def alone(engine: Engine, audit: AuditLog, delivery: Delivery, account: Account) -> Receipt | Exception:
    """Record one delivery; an error is entered in the audit log too, unless it is the database's own."""
    try:
        (receipt,) = attempt(engine, audit, [delivery], account)
    except (UndecidedError, OperationalError, PoolTimeoutError) as error:
        # Stripe decides; or the database itself is what fails, and would make the sender wait twice.
        return error
    except Exception as error:  # noqa: BLE001 - it is the caller's, who answers the sender
        audit.note(engine, failure(delivery, error))
        return error
    return receipt


def attempt(engine: Engine, audit: AuditLog, deliveries: Sequence[Delivery], account: Account) -> list[Receipt]:
    """Record deliveries in one transaction, or raise and record none."""
    with engine.begin() as connection:
        receipts = [take(connection, delivery, account) for delivery in deliveries]
        pairs = zip(deliveries, receipts, strict=True)
        audit.append(connection, *(line for delivery, receipt in pairs for line in told(delivery, receipt)))
    return receipts


def take(connection: Connection, delivery: Delivery, account: Account) -> Receipt:
    """Take an event into the inbox and apply it, in the caller's transaction."""
    event, snapshot = delivery.event, delivery.state
    if not claim(connection, event, delivery.received_at):
        return Receipt(Outcome.DUPLICATE)
    if not has_right_mode(event, livemode=account.livemode):
        receipt = Receipt(Outcome.IGNORED, Reason.WRONG_MODE)
    elif not has_right_account(event, account=account.id):
        receipt = Receipt(Outcome.IGNORED, Reason.WRONG_ACCOUNT)
    elif snapshot is None:
        receipt = Receipt(Outcome.IGNORED, Reason.UNHANDLED_TYPE)
    else:
        receipt = apply(connection, event, snapshot, delivery.fetched.since if delivery.fetched else None)
    if receipt.outcome is not Outcome.APPLIED:  # as which it was claimed
        settle(connection, event, receipt)
    return receipt


def claim(connection: Connection, event: Event, received_at: int) -> bool:
    """Enter the event into the inbox, or return False when it is there already.

    The primary key decides, so of many copies at once exactly one is first.
    """
    row = {
        "stripe_event_id": event.id,
        "event_type": event.type,
        "event_created_at": event.created,
        "received_at": received_at,
        "outcome": Outcome.APPLIED,
    }
    return connection.execute(claiming(connection.dialect.name, inbox), row).first() is not None


@cache
def claiming(dialect: str, table: Table) -> ReturningInsert[Any]:
    """Build the statement that enters an event, once: to build it takes longer than to run it."""
    return insert_into(dialect, table).on_conflict_do_nothing().returning(table.c.stripe_event_id)


def settle(connection: Connection, event: Event, receipt: Receipt) -> None:
    """Note in the inbox what became of the event."""
    became = {"claimed": event.id, "outcome": receipt.outcome, "reason": receipt.reason}
    connection.execute(settling(inbox), became)


@cache
def settling(table: Table) -> Update:
    """Build the statement that changes the entry of an event."""
    return table.update().where(table.c.stripe_event_id == bindparam("claimed"))


def has_right_mode(event: Event, *, livemode: bool) -> bool:
    """Tell whether the event is of this service's mode; test events must not grant anything in live mode."""
    return event.livemode is livemode


def has_right_account(event: Event, *, account: str | None) -> bool:
    """Tell whether the event is of this service's account at Stripe.

    `account` stands in the events of accounts that are connected to it, `context` in those of an organisation; both
    are absent from an account's own.
    """
    return all(named in (None, "", account) for named in (event.account, event.context))


def apply(connection: Connection, event: Event, snapshot: Snapshot, asked_since: int | None) -> Receipt:
    """Write the state that an event reports, unless the database holds what is newer.

    Args:
        connection: in a transaction.
        event: what reports it.
        snapshot: the state, from the event or from Stripe.
        asked_since: where it is from Stripe, the last audit record before Stripe was asked.

    Raises:
        UndecidedError: the order of two events is not known, or the state changed while Stripe was asked.
    """
    table, row = rows.row_of(event, snapshot)
    asked = asked_since is not None
    if asked_since is not None:
        known = rows.look(connection, table, row)
        if rows.holds(known, row):
            return Receipt(Outcome.IGNORED, Reason.OLDER_THAN_STATE)
        if rows.same_second(known, row) and is_told_since(connection, snapshot.id, asked_since):
            raise UndecidedError(last_record(connection))
    if written := rows.write(connection, table, row, asked=asked):
        return Receipt(Outcome.APPLIED, tenant_id=written["tenant_id"])
    known = rows.look(connection, table, row)
    if rows.holds(known, row):
        return Receipt(Outcome.IGNORED, Reason.NO_CHANGE)
    undecided = isinstance(snapshot, Subscription) and rows.same_second(known, row)
    if known is not None and undecided and not ordering.is_final(table, known["status"]):
        raise UndecidedError(last_record(connection))
    return Receipt(Outcome.IGNORED, Reason.OLDER_THAN_STATE)


def last_record(connection: Connection) -> int:
    """Read the sequence of the last audit record; whoever changes a row that is kept from others writes a later one."""
    last: int = connection.execute(LAST_RECORD).scalar_one()
    return last


def is_told_since(connection: Connection, object_id: str, since: int) -> bool:
    """Tell whether the audit log has a record of an object after the one with the sequence `since`."""
    return connection.execute(TOLD_SINCE, {"since": since, "told_of": object_id}).first() is not None
