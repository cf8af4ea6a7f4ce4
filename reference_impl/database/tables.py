"""The tables: Stripe ids, statuses, amounts and times, and nothing else (PCI DSS 3.2.1, 3.3.1, 3.4.1).

This file is the whole inventory. Every column says why it is kept, every table how long its rows are. Every time is in
seconds since the epoch, UTC, as Stripe sends it. Stripe delivers in any order, so no table demands that the object
which it refers to has been seen.

A change here needs a migration beside it; the tests compare the two on both databases.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, MetaData, String, Table

__all__ = [
    "Kind",
    "Retention",
    "audit_anchors",
    "audit_log",
    "customers",
    "inbox",
    "invoices",
    "metadata",
    "subscriptions",
]

LONGEST_ID = 255
# Stripe's amounts have at most 12 digits, times 10; the shortest card number has 13, and does not fit.
AMOUNT_LIMIT = 10**12
TIME_LIMIT = 10**11


class Kind(StrEnum):
    """What a column may hold. There is no kind for free text, and none for anything that is read from a card."""

    STRIPE_ID = "stripe id"
    STATUS = "status"
    AMOUNT = "amount"
    CURRENCY = "currency"
    TIME = "time"
    FLAG = "flag"
    NUMBER = "number"
    PARTY = "party"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the rows of a table are kept: `days` after the time in `age`, or with None as long as the service.

    With `ended`, only rows are purged in which a column has one of the values; what still runs is kept.
    """

    reason: str
    days: int | None = None
    age: str = ""
    ended: tuple[str, tuple[Any, ...]] | None = None


# The naming makes a constraint the same in every database, so that a later migration can name it.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def stripe_id(name: str, reason: str, **options: Any) -> Column[str]:
    """Build a column for an id that Stripe gave: it names something and says nothing about it."""
    return Column(name, String(LONGEST_ID), info={"kind": Kind.STRIPE_ID, "reason": reason}, **options)


def status(name: str, longest: int, reason: str, **options: Any) -> Column[str]:
    """Build a column for one word of a fixed list."""
    return Column(name, String(longest), info={"kind": Kind.STATUS, "reason": reason}, **options)


def moment(name: str, reason: str, **options: Any) -> Column[int]:
    """Build a column for a time; no card number fits."""
    bounds = CheckConstraint(f"{name} >= 0 AND {name} < {TIME_LIMIT}", name=name)
    return Column(name, BigInteger, bounds, info={"kind": Kind.TIME, "reason": reason}, **options)


def number(name: str, kind: Kind, reason: str, **options: Any) -> Column[int]:
    """Build a column for an amount or a count; no card number fits."""
    bounds = CheckConstraint(f"{name} > -{AMOUNT_LIMIT} AND {name} < {AMOUNT_LIMIT}", name=name)
    return Column(name, BigInteger, bounds, info={"kind": kind, "reason": reason}, **options)


def flag(name: str, reason: str) -> Column[bool]:
    """Build a column for yes or no."""
    return Column(name, Boolean, nullable=False, info={"kind": Kind.FLAG, "reason": reason})


def text(name: str, longest: int, kind: Kind, reason: str, **options: Any) -> Column[str]:
    """Build a column for a short text of another kind."""
    return Column(name, String(longest), info={"kind": kind, "reason": reason}, **options)


NEWEST = "time of the newest event that was applied to the row; an older one must not replace it"

# One row per event that was accepted: what makes a second delivery of it harmless.
inbox = Table(
    "inbox",
    metadata,
    stripe_id("stripe_event_id", "tells a copy from a new event", primary_key=True),
    status("event_type", 100, "shows the operator what was received", nullable=False),
    moment("event_created_at", "shows the operator how late events arrive", nullable=False),
    moment("received_at", "age of the row, for the purge", nullable=False, index=True),
    status("outcome", 20, "applied or ignored; answers what became of an event", nullable=False),
    status("reason", 40, "why an event was ignored"),
    info={
        "retention": Retention("Stripe can resend an event for 30 days; three times that is safe", 90, "received_at")
    },
)

customers = Table(
    "customers",
    metadata,
    stripe_id("stripe_customer_id", "finds the customer at Stripe", primary_key=True),
    flag("deleted", "a deleted customer has no access"),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": Retention(
            "a deleted customer is kept until no late event can revive the row",
            400,
            "event_created_at",
            ("deleted", (True,)),
        )
    },
)

subscriptions = Table(
    "subscriptions",
    metadata,
    stripe_id("stripe_subscription_id", "finds the subscription at Stripe", primary_key=True),
    stripe_id("stripe_customer_id", "whose subscription it is", nullable=False, index=True),
    stripe_id("stripe_price_id", "what was bought"),
    status("status", 20, "decides on access", nullable=False),
    moment("current_period_end", "until when access is paid for"),
    flag("cancel_at_period_end", "shows that access will end"),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": Retention(
            "an ended subscription is kept for questions about the last yearly invoice",
            400,
            "event_created_at",
            ("status", ("canceled", "incomplete_expired")),
        )
    },
)

invoices = Table(
    "invoices",
    metadata,
    stripe_id("stripe_invoice_id", "finds the invoice at Stripe", primary_key=True),
    stripe_id("stripe_customer_id", "whose invoice it is", nullable=False, index=True),
    stripe_id("stripe_subscription_id", "what is billed", index=True),
    status("status", 20, "tells paid from unpaid", nullable=False),
    number("amount_due", Kind.AMOUNT, "what is owed, in the currency's smallest unit", nullable=False),
    text("currency", 3, Kind.CURRENCY, "unit of the amount", nullable=False),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": Retention(
            "a settled invoice is kept for a year and a month; the books are Stripe's and the accountant's",
            400,
            "event_created_at",
            ("status", ("paid", "uncollectible", "void")),
        )
    },
)

# Append-only: triggers (SQLite) and grants (PostgreSQL) refuse changes, and the chain of digests shows them.
audit_log = Table(
    "audit_log",
    metadata,
    number("sequence", Kind.NUMBER, "order, without gaps", primary_key=True, autoincrement=False),
    moment("recorded_at", "when (PCI DSS 10.2.2)", nullable=False),
    status("event", 40, "what happened", nullable=False),
    text("actor", 100, Kind.PARTY, "who: a principal, a role or an operator's user number", nullable=False),
    status("result", 20, "success, ignored, refused or failed", nullable=False),
    status("reason", 60, "why it was ignored, refused or failed, or the state that was reached"),
    text("origin", 64, Kind.PARTY, "where it came from: an address or the command line", nullable=False),
    text("object_id", LONGEST_ID, Kind.STRIPE_ID, "what it was done to: a Stripe id or the name of a table"),
    text("reference", LONGEST_ID, Kind.STRIPE_ID, "the event or the error that it belongs to"),
    number("quantity", Kind.NUMBER, "how many rows a purge removed"),
    text("digest", 43, Kind.DIGEST, "keyed digest over the record and the digest before it", nullable=False),
    info={"retention": Retention("twelve months, all of them at hand (PCI DSS 10.5.1)", 365, "recorded_at")},
)

# Where the chain begins and ends: what shows that records are missing there.
audit_anchors = Table(
    "audit_anchors",
    metadata,
    status("name", 10, "start (the last record that was purged) or end (the last record)", primary_key=True),
    number("sequence", Kind.NUMBER, "sequence of that record", nullable=False),
    text("digest", 43, Kind.DIGEST, "digest of that record", nullable=False),
    text("seal", 43, Kind.DIGEST, "keyed digest over this row", nullable=False),
    info={"retention": Retention("two rows, needed as long as there is a log")},
)
