"""What events do to the state of billing: each event once, and the newest state wins."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from sqlalchemy import ColumnCollection, ColumnElement, Connection, Engine, Table, and_, not_, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reference_impl.database.engine import insert
from reference_impl.database.tables import customers, inbox, invoices, subscriptions
from reference_impl.services import snapshots
from reference_impl.services.audit import Action, AuditLog, Record, Result
from reference_impl.services.snapshots import Customer, Invoice, Snapshot, Subscription
from reference_impl.services.webhooks import Event

__all__ = ["Outcome", "Reason", "Receipt", "apply", "claim", "has_right_mode", "is_newer", "record", "settle"]


class Outcome(StrEnum):
    """What became of an accepted event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class Reason(StrEnum):
    """Why an accepted event was ignored."""

    UNHANDLED_TYPE = "unhandled_type"
    WRONG_MODE = "wrong_mode"
    OLDER_THAN_STATE = "older_than_state"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event, and why if it was ignored."""

    outcome: Outcome
    reason: Reason | None = None


def record(engine: Engine, audit: AuditLog, event: Event, *, livemode: bool, received_at: int, origin: str) -> Receipt:
    """Take an event into the inbox, apply it and enter it in the audit log: all or nothing.

    An event of the other mode is acknowledged and ignored: to refuse it would only make Stripe repeat it.

    Args:
        engine: the database.
        audit: the audit log in it.
        event: verified and parsed.
        livemode: the mode of this service.
        received_at: seconds since the epoch.
        origin: the address that delivered it.

    Raises:
        RejectedError: the object in the event is not what its type says.
        SQLAlchemyError: nothing was recorded, so the event has to be sent again.
    """
    snapshot = snapshots.read(event)
    try:
        with engine.begin() as connection:
            receipt = take(connection, event, snapshot, livemode=livemode, received_at=received_at)
            audit.append(connection, *told(event, snapshot, receipt, origin))
    except (OperationalError, PoolTimeoutError):
        # The database itself is what fails, and would make the sender wait twice.
        raise
    except Exception as error:
        audit.note(engine, failure(event, error, origin))
        raise
    return receipt


def take(
    connection: Connection, event: Event, snapshot: Snapshot | None, *, livemode: bool, received_at: int
) -> Receipt:
    """Take an event into the inbox and apply it, in the caller's transaction."""
    if not claim(connection, event, received_at):
        return Receipt(Outcome.DUPLICATE)
    if not has_right_mode(event, livemode=livemode):
        receipt = Receipt(Outcome.IGNORED, Reason.WRONG_MODE)
    elif snapshot is None:
        receipt = Receipt(Outcome.IGNORED, Reason.UNHANDLED_TYPE)
    elif apply(connection, event, snapshot):
        return Receipt(Outcome.APPLIED)  # as which it was claimed
    else:
        receipt = Receipt(Outcome.IGNORED, Reason.OLDER_THAN_STATE)
    settle(connection, event, receipt)
    return receipt


def claim(connection: Connection, event: Event, received_at: int) -> bool:
    """Enter the event into the inbox, or return False when it is there already.

    The primary key decides, so of many copies at once exactly one is first.
    """
    statement = insert(connection, inbox).values(
        stripe_event_id=event.id,
        event_type=event.type,
        event_created_at=event.created,
        received_at=received_at,
        outcome=Outcome.APPLIED,
    )
    statement = statement.on_conflict_do_nothing()
    return connection.execute(statement.returning(inbox.c.stripe_event_id)).first() is not None


def settle(connection: Connection, event: Event, receipt: Receipt) -> None:
    """Note in the inbox what became of the event."""
    statement = inbox.update().where(inbox.c.stripe_event_id == event.id)
    connection.execute(statement.values(outcome=receipt.outcome, reason=receipt.reason))


def has_right_mode(event: Event, *, livemode: bool) -> bool:
    """Tell whether the event is of this service's mode; test events must not grant anything in live mode."""
    return event.livemode is livemode


def apply(connection: Connection, event: Event, snapshot: Snapshot) -> bool:
    """Write the state that an event reports, or return False when newer state is there already."""
    deleted = event.type.endswith(".deleted")
    match snapshot:
        case Customer():
            statement = upsert(
                connection,
                customers,
                customers.c.deleted,
                stripe_customer_id=snapshot.id,
                deleted=deleted,
                event_created_at=event.created,
            )
        case Subscription():
            statement = upsert(
                connection,
                subscriptions,
                subscriptions.c.status.in_(("canceled", "incomplete_expired")),
                stripe_subscription_id=snapshot.id,
                stripe_customer_id=snapshot.customer,
                stripe_price_id=snapshot.price_id,
                status="canceled" if deleted else snapshot.status,
                current_period_end=snapshot.period_end,
                cancel_at_period_end=snapshot.cancel_at_period_end,
                event_created_at=event.created,
            )
        case Invoice():
            statement = upsert(
                connection,
                invoices,
                invoices.c.status.in_(("paid", "void")),
                stripe_invoice_id=snapshot.id,
                stripe_customer_id=snapshot.customer,
                stripe_subscription_id=snapshot.subscription_id,
                status=snapshot.status,
                amount_due=snapshot.amount_due,
                currency=snapshot.currency,
                event_created_at=event.created,
            )
        case _:
            assert_never(snapshot)
    return connection.execute(statement.returning(statement.table.c.event_created_at)).first() is not None


def upsert(
    connection: Connection, table: Table, final: ColumnElement[bool], **values: Any
) -> postgresql.Insert | sqlite.Insert:
    """Build the statement that inserts a row, or replaces it when the event is newer than the row."""
    statement = insert(connection, table).values(values)
    return statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={name: statement.excluded[name] for name in values},
        where=is_newer(table, statement.excluded, final),
    )


def is_newer(
    table: Table, incoming: ColumnCollection[str, ColumnElement[Any]], final: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Build the condition under which an event replaces a row.

    Stripe's times are whole seconds, so two events can share one. Then the later delivery wins, except over a state
    that Stripe never leaves (`final`): a cancelled subscription stays cancelled.
    """
    same_second = incoming.event_created_at == table.c.event_created_at
    return or_(incoming.event_created_at > table.c.event_created_at, and_(same_second, not_(final)))


def told(event: Event, snapshot: Snapshot | None, receipt: Receipt, origin: str) -> list[Record]:
    """Build the audit records of a delivery: one of its receipt, and one of its effect if it had one."""
    result = Result.SUCCESS if receipt.outcome is Outcome.APPLIED else Result.IGNORED
    copied = receipt.outcome is Outcome.DUPLICATE
    received = Record(
        event=Action.WEBHOOK_DUPLICATE if copied else Action.WEBHOOK_RECEIVED,
        actor="stripe",
        result=result,
        origin=origin,
        reason=receipt.reason,
        object_id=event.id,
    )
    if snapshot is None or receipt.outcome is not Outcome.APPLIED:
        return [received]
    effect = Record(
        event=action(event, snapshot),
        actor="stripe",
        result=result,
        origin=origin,
        reason=None if isinstance(snapshot, Customer) else snapshot.status,
        object_id=snapshot.id,
        reference=event.id,
    )
    return [received, effect]


def action(event: Event, snapshot: Snapshot) -> Action:
    """Name the effect of an event."""
    deleted, created = event.type.endswith(".deleted"), event.type.endswith(".created")
    match snapshot:
        case Customer():
            return Action.CUSTOMER_DELETED if deleted else Action.CUSTOMER_CHANGED
        case Subscription() if deleted or snapshot.status == "canceled":
            return Action.SUBSCRIPTION_CANCELLED
        case Subscription():
            return Action.SUBSCRIPTION_CREATED if created else Action.SUBSCRIPTION_CHANGED
        case Invoice():
            return Action.PAYMENT_SUCCEEDED if event.type == "invoice.paid" else Action.PAYMENT_FAILED
        case _:
            assert_never(snapshot)


def failure(event: Event, error: Exception, origin: str) -> Record:
    """Build the audit record of a delivery that could not be applied; of the error, only its type."""
    return Record(
        event=Action.WEBHOOK_FAILED,
        actor="stripe",
        result=Result.FAILED,
        origin=origin,
        reason=type(error).__name__[:60],
        object_id=event.id,
    )
