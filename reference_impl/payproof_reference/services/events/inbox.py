"""The inbox: each event is taken in once, whatever becomes of it."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam
from sqlalchemy.sql.dml import ReturningInsert

from payproof_reference.database.engine import insert_into
from payproof_reference.database.tables import inbox
from payproof_reference.services.events import effects
from payproof_reference.services.events.delivery import Account, EventOutcome, IgnoredReason, Receipt, VerifiedDelivery
from payproof_reference.services.events.webhooks import StripeEvent

__all__ = ["take_delivery"]


def take_delivery(connection: Connection, delivery: VerifiedDelivery, account: Account) -> Receipt:
    """Take an event into the inbox and apply it, in the caller's transaction."""
    event, snapshot = delivery.event, delivery.state
    asked_since = delivery.fetched.since if delivery.fetched else None
    if not claim_event(connection, event, delivery.received_at):
        return Receipt(EventOutcome.DUPLICATE)
    if not has_right_mode(event, livemode=account.livemode):
        receipt = Receipt(EventOutcome.IGNORED, IgnoredReason.WRONG_MODE)
    elif not has_right_account(event, account=account.id):
        receipt = Receipt(EventOutcome.IGNORED, IgnoredReason.WRONG_ACCOUNT)
    elif snapshot is None:
        receipt = Receipt(EventOutcome.IGNORED, IgnoredReason.UNHANDLED_TYPE)
    else:
        receipt = effects.apply_snapshot(connection, event, snapshot, asked_since)
    if receipt.outcome is not EventOutcome.APPLIED:  # as which it was claimed
        note_outcome(connection, event, receipt)
    return receipt


def claim_event(connection: Connection, event: StripeEvent, received_at: int) -> bool:
    """Enter the event into the inbox, or return False when it is there already.

    The primary key decides, so of many copies at once exactly one is first.
    """
    row = {
        "stripe_event_id": event.id,
        "event_type": event.type,
        "event_created_at": event.created,
        "received_at": received_at,
        "outcome": EventOutcome.APPLIED,
    }
    return connection.execute(build_claim(connection.dialect.name, inbox), row).first() is not None


@cache
def build_claim(dialect: str, table: Table) -> ReturningInsert[Any]:
    """Build the statement that enters an event, once: to build it takes longer than to run it."""
    return insert_into(dialect, table).on_conflict_do_nothing().returning(table.c.stripe_event_id)


def note_outcome(connection: Connection, event: StripeEvent, receipt: Receipt) -> None:
    """Note in the inbox what became of the event."""
    became = {"claimed": event.id, "outcome": receipt.outcome, "reason": receipt.reason}
    connection.execute(build_outcome_update(inbox), became)


@cache
def build_outcome_update(table: Table) -> Update:
    """Build the statement that changes the entry of an event."""
    return table.update().where(table.c.stripe_event_id == bindparam("claimed"))


def has_right_mode(event: StripeEvent, *, livemode: bool) -> bool:
    """Tell whether the event is of this service's mode; test events must not grant anything in live mode."""
    return event.livemode is livemode


def has_right_account(event: StripeEvent, *, account: str | None) -> bool:
    """Tell whether the event is of this service's account at Stripe.

    `account` stands in the events of accounts that are connected to it, `context` in those of an organisation; both
    are absent from an account's own.
    """
    return all(named in (None, "", account) for named in (event.account, event.context))
