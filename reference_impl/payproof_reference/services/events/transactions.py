"""The transactions of deliveries: what an event does and its audit records are committed together, or not at all."""

import time
from collections.abc import Sequence
from itertools import chain

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events import audit_records, inbox
from payproof_reference.services.events.delivery import Account, Receipt, UndecidedError, VerifiedDelivery

__all__ = ["record_alone", "record_together"]

log = structlog.get_logger()


def record_together(
    engine: Engine, audit: AuditLog, deliveries: Sequence[VerifiedDelivery], account: Account, *, until: float
) -> list[Receipt | Exception]:
    """Record deliveries in one transaction; when that fails, each in its own, so that none costs another its effect.

    One that was asked of Stripe goes alone: what else happened to its object is read in the audit log, to which a
    transaction adds at its end.

    Args:
        engine: the database.
        audit: the audit log in it.
        deliveries: in the order in which they came.
        account: whose events count.
        until: a time of the monotonic clock, after which nothing more is begun.

    Returns:
        For each delivery its receipt, or the error for which nothing of it was recorded.
    """
    if len(deliveries) > 1 and not any(delivery.fetched for delivery in deliveries):
        try:
            return [*record_in_one_transaction(engine, audit, deliveries, account)]
        except Exception as error:  # noqa: BLE001 - whichever delivery it is of meets it again below
            log.info("deliveries_separated", deliveries=len(deliveries), cause=type(error).__name__)
    return [
        record_alone(engine, audit, delivery, account)
        if time.monotonic() < until
        else TimeoutError("nobody waits for the answer any more")
        for delivery in deliveries
    ]


def record_alone(engine: Engine, audit: AuditLog, delivery: VerifiedDelivery, account: Account) -> Receipt | Exception:
    """Record one delivery; an error is entered in the audit log too, unless it is the database's own."""
    try:
        (receipt,) = record_in_one_transaction(engine, audit, [delivery], account)
    except (UndecidedError, OperationalError, PoolTimeoutError) as error:
        # Stripe decides; or the database itself is what fails, and would make the sender wait twice.
        return error
    except Exception as error:  # noqa: BLE001 - it is the caller's, who answers the sender
        audit.note(engine, audit_records.build_failure_record(delivery, error))
        return error
    return receipt


def record_in_one_transaction(
    engine: Engine, audit: AuditLog, deliveries: Sequence[VerifiedDelivery], account: Account
) -> list[Receipt]:
    """Record deliveries in one transaction, or raise and record none."""
    with engine.begin() as connection:
        receipts = [inbox.take_delivery(connection, delivery, account) for delivery in deliveries]
        # Last, because whoever adds to the audit log has it to itself until the commit.
        records = [audit_records.build_records(*pair) for pair in zip(deliveries, receipts, strict=True)]
        audit.append(connection, *chain.from_iterable(records))
    return receipts
