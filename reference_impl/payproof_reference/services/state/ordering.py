"""Decides which of two reports of one object counts, whatever the order in which they come.

Stripe delivers in any order, and its times are whole seconds. First decides what an object never goes back from: a
cancelled subscription stays cancelled, a paid invoice paid, a refunded amount refunded, even where times say otherwise.
Then the newer report counts, and within a second the later stage. So the same reports end in the same row in any order;
except for what a subscription may take back within a second, of which only Stripe knows the order.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnCollection,
    ColumnElement,
    String,
    Table,
    and_,
    case,
    literal_column,
    or_,
    tuple_,
)

from payproof_reference.database.tables import checkout_sessions, customers, disputes, invoices, payments, subscriptions

__all__ = ["CLOSED", "ENDED", "is_final", "is_newer"]

Columns = ColumnCollection[str, ColumnElement[Any]]


def write_statuses(constants: Iterable[str]) -> list[ColumnElement[str]]:
    """Write statuses into a statement; as parameters they would be sent anew with each event."""
    return [literal_column(f"'{constant}'", String) for constant in constants]


def write_number(constant: int) -> ColumnElement[int]:
    """Write a number into a statement."""
    return literal_column(str(constant), BigInteger)


def one_of(column: ColumnElement[str], *statuses: str) -> ColumnElement[bool]:
    """Build the condition that a column has one of some statuses."""
    return column.in_(write_statuses(statuses))


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How far the objects of a table have come, and which statuses follow each other.

    Attributes:
        settled: builds a number that only grows: how far an object has come on the way that has no way back.
        final: statuses that are left for none but those in `reopened`.
        reopened: statuses that can follow a final one.
        stages: statuses in the order in which they follow each other within a second.
    """

    settled: Callable[[Columns], ColumnElement[int]]
    final: Sequence[str] = ()
    reopened: Sequence[str] = ()
    stages: Sequence[str] = ()


def build_settled_in(*statuses: str) -> Callable[[Columns], ColumnElement[int]]:
    """Build what is 1 in one of some statuses and 0 in others."""
    return lambda columns: case((one_of(columns.status, *statuses), write_number(1)), else_=write_number(0))


def build_deletion(columns: Columns) -> ColumnElement[int]:
    """Build how far a customer has come."""
    return case((columns.deleted, write_number(1)), else_=write_number(0))


def build_refunds(columns: Columns) -> ColumnElement[int]:
    """Build how far a payment has come: it is made, and then more and more of it is paid back."""
    return case((one_of(columns.status, "pending"), write_number(0)), else_=write_number(1) + columns.amount_refunded)


def build_purchase(columns: Columns) -> ColumnElement[int]:
    """Build how far a Checkout session has come: some are complete long before they are paid."""
    unpaid = one_of(columns.payment_status, "unpaid")
    return case((one_of(columns.status, "open"), write_number(0)), (unpaid, write_number(1)), else_=write_number(2))


# Stripe never leaves these.
ENDED = ("canceled", "incomplete_expired")
PAID = ("paid", "void")
CLOSED = ("lost", "prevented", "warning_closed", "won")
APPEALS = ("appeal_needs_response", "appeal_under_review")
INQUIRIES = ("warning_needs_response", "warning_under_review")
LIFECYCLES = {
    customers.name: Lifecycle(build_deletion),
    subscriptions.name: Lifecycle(build_settled_in(*ENDED), ENDED),
    # An uncollectible invoice can still be paid.
    invoices.name: Lifecycle(build_settled_in(*PAID), PAID, stages=("draft", "open", "uncollectible")),
    payments.name: Lifecycle(build_refunds, ("failed", "succeeded")),
    disputes.name: Lifecycle(
        build_settled_in(*CLOSED, *APPEALS), CLOSED, APPEALS, (*INQUIRIES, "needs_response", "under_review", *APPEALS)
    ),
    checkout_sessions.name: Lifecycle(build_purchase, ("complete", "expired")),
}


def is_newer(table: Table, incoming: Columns, *, asked: bool) -> ColumnElement[bool]:
    """Build the condition under which a report replaces a row.

    With `asked` the report is Stripe's own answer to the question about a row of the same second, and replaces it.
    """
    lifecycle = LIFECYCLES[table.name]
    reported, known = (
        tuple_(lifecycle.settled(columns), columns.event_created_at, *build_tie(lifecycle, columns))
        for columns in (incoming, table.c)
    )
    newer = reported >= known if asked else reported > known
    if not lifecycle.final:
        return newer
    status, following = table.c.status, incoming.status
    # A status can be null: that of a Checkout session from before there were any.
    leavable = [status.is_(None), ~one_of(status, *lifecycle.final), status == following]
    if lifecycle.reopened:
        leavable.append(one_of(following, *lifecycle.reopened))
    return and_(or_(*leavable), newer)


def build_tie(lifecycle: Lifecycle, columns: Columns) -> list[ColumnElement[int]]:
    """Build what decides within a second."""
    places = [(one_of(columns.status, status), write_number(place)) for place, status in enumerate(lifecycle.stages)]
    return [case(*places, else_=write_number(len(places)))] if places else []


def is_final(table: Table, status: str) -> bool:
    """Tell whether a status is one that the objects of a table never leave."""
    return status in LIFECYCLES[table.name].final
