"""The tables: ids, statuses, amounts and times, and nothing else (PCI DSS 3.2.1, 3.3.1, 3.4.1).

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
    "ColumnKind",
    "TableRetention",
    "audit_anchors",
    "audit_log",
    "checkout_sessions",
    "credentials",
    "customers",
    "disputes",
    "inbox",
    "invoices",
    "metadata",
    "operations",
    "payments",
    "sign_in_failures",
    "subscriptions",
    "tenants",
]

LONGEST_ID = 255
LONGEST_OWN_ID = 40
# Stripe's amounts have at most 12 digits, times 10; the shortest card number has 13, and does not fit.
AMOUNT_LIMIT = 10**12
TIME_LIMIT = 10**11


class ColumnKind(StrEnum):
    """What a column may hold. There is no kind for free text, and none for anything that is read from a card."""

    STRIPE_ID = "stripe id"
    OWN_ID = "own id"
    STATUS = "status"
    AMOUNT = "amount"
    CURRENCY = "currency"
    TIME = "time"
    FLAG = "flag"
    NUMBER = "number"
    PARTY = "party"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class TableRetention:
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
    return Column(name, String(LONGEST_ID), info={"kind": ColumnKind.STRIPE_ID, "reason": reason}, **options)


def own_id(name: str, reason: str, **options: Any) -> Column[str]:
    """Build a column for an id that this service made up: letters at random, behind a prefix."""
    return Column(name, String(LONGEST_OWN_ID), info={"kind": ColumnKind.OWN_ID, "reason": reason}, **options)


def status(name: str, longest: int, reason: str, **options: Any) -> Column[str]:
    """Build a column for one word of a fixed list."""
    return Column(name, String(longest), info={"kind": ColumnKind.STATUS, "reason": reason}, **options)


def moment(name: str, reason: str, **options: Any) -> Column[int]:
    """Build a column for a time; no card number fits."""
    bounds = CheckConstraint(f"{name} >= 0 AND {name} < {TIME_LIMIT}", name=name)
    return Column(name, BigInteger, bounds, info={"kind": ColumnKind.TIME, "reason": reason}, **options)


def number(name: str, kind: ColumnKind, reason: str, **options: Any) -> Column[int]:
    """Build a column for an amount or a count; no card number fits."""
    bounds = CheckConstraint(f"{name} > -{AMOUNT_LIMIT} AND {name} < {AMOUNT_LIMIT}", name=name)
    return Column(name, BigInteger, bounds, info={"kind": kind, "reason": reason}, **options)


def flag(name: str, reason: str) -> Column[bool]:
    """Build a column for yes or no."""
    return Column(name, Boolean, nullable=False, info={"kind": ColumnKind.FLAG, "reason": reason})


def text(name: str, longest: int, kind: ColumnKind, reason: str, **options: Any) -> Column[str]:
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
        "retention": TableRetention(
            "Stripe can resend an event for 30 days; three times that is safe", 90, "received_at"
        )
    },
)

OWNER = "whose it is; only operations of this service set it, whatever an event's metadata says"

tenants = Table(
    "tenants",
    metadata,
    own_id("tenant_id", "tells one tenant's data from another's", primary_key=True),
    moment("created_at", "shows the operator since when there is the tenant", nullable=False),
    info={"retention": TableRetention("an id and a time, needed as long as anything belongs to the tenant")},
)

credentials = Table(
    "credentials",
    metadata,
    own_id("credential_id", "finds the credential that a token names", primary_key=True),
    own_id("tenant_id", "on whose behalf it acts", nullable=False, index=True),
    status("role", 20, "decides what it may do", nullable=False),
    text(
        "secret_digest",
        43,
        ColumnKind.DIGEST,
        "keyed digest of the secret in the token, which is nowhere",
        nullable=False,
    ),
    moment("created_at", "shows the operator how old it is", nullable=False),
    moment("expires_at", "when it ends, and age of the row for the purge", nullable=False),
    moment("revoked_at", "since when it is refused before its end"),
    info={"retention": TableRetention("audit records name it; kept as long as those and a month", 400, "expires_at")},
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    text("party", 120, ColumnKind.PARTY, "the credential and the address that failed together", primary_key=True),
    number("failures", ColumnKind.NUMBER, "how often in a row; ten lock the party out", nullable=False),
    moment("last_failed_at", "age of the row, for the count and the purge", nullable=False, index=True),
    moment("locked_until", "when the party may try again (PCI DSS 8.3.4)"),
    info={
        "retention": TableRetention("only the last half hour counts; a day more for the operator", 1, "last_failed_at")
    },
)

customers = Table(
    "customers",
    metadata,
    stripe_id("stripe_customer_id", "finds the customer at Stripe", primary_key=True),
    flag("deleted", "a deleted customer has no access"),
    moment("event_created_at", NEWEST, nullable=False),
    own_id("tenant_id", OWNER, index=True),
    info={
        "retention": TableRetention(
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
    number("unit_amount", ColumnKind.AMOUNT, "price of one period, which must be the plan's for it to grant anything"),
    text("currency", 3, ColumnKind.CURRENCY, "unit of the amount"),
    info={
        "retention": TableRetention(
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
    number("amount_due", ColumnKind.AMOUNT, "what is owed, in the currency's smallest unit", nullable=False),
    text("currency", 3, ColumnKind.CURRENCY, "unit of the amount", nullable=False),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": TableRetention(
            "a settled invoice is kept for a year and a month; the books are Stripe's and the accountant's",
            400,
            "event_created_at",
            ("status", ("paid", "uncollectible", "void")),
        )
    },
)

payments = Table(
    "payments",
    metadata,
    stripe_id("stripe_charge_id", "finds the payment at Stripe", primary_key=True),
    stripe_id("stripe_payment_intent_id", "what a refund names", index=True),
    stripe_id("stripe_customer_id", "whose payment it is", index=True),
    status("status", 20, "tells succeeded from failed", nullable=False),
    number("amount", ColumnKind.AMOUNT, "what was paid, in the currency's smallest unit", nullable=False),
    number("amount_refunded", ColumnKind.AMOUNT, "what was paid back", nullable=False),
    text("currency", 3, ColumnKind.CURRENCY, "unit of the amounts", nullable=False),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": TableRetention("a payment can be disputed for months; then as an invoice", 400, "event_created_at")
    },
)

disputes = Table(
    "disputes",
    metadata,
    stripe_id("stripe_dispute_id", "finds the dispute at Stripe", primary_key=True),
    stripe_id("stripe_charge_id", "which payment is disputed", nullable=False, index=True),
    status("status", 30, "open, won or lost; an open or lost one flags the payment", nullable=False),
    number("amount", ColumnKind.AMOUNT, "what is disputed, in the currency's smallest unit", nullable=False),
    text("currency", 3, ColumnKind.CURRENCY, "unit of the amount", nullable=False),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": TableRetention(
            "a closed dispute is kept as long as its payment",
            400,
            "event_created_at",
            ("status", ("lost", "prevented", "warning_closed", "won")),
        )
    },
)

checkout_sessions = Table(
    "checkout_sessions",
    metadata,
    stripe_id("stripe_checkout_session_id", "what the customer comes back with", primary_key=True),
    stripe_id("stripe_customer_id", "whose session it is", index=True),
    status("status", 20, "open, complete or expired"),
    status("payment_status", 30, "whether it was paid, which the success page must not assume", nullable=False),
    moment("event_created_at", NEWEST, nullable=False),
    info={
        "retention": TableRetention("the customer comes back within days; the rest is Stripe's", 90, "event_created_at")
    },
)

# What was asked of Stripe. A row is written before the first call and says what is left to do after a crash.
operations = Table(
    "operations",
    metadata,
    own_id("operation_id", "names it to the caller, and is its idempotency key at Stripe", primary_key=True),
    own_id("tenant_id", "who may see it", nullable=False, index=True),
    own_id("credential_id", "who asked", nullable=False),
    status("kind", 30, "what to do", nullable=False),
    status("status", 20, "pending, succeeded, failed or given_up", nullable=False),
    status("category", 30, "why it failed, in the words that callers read"),
    text(
        "client_key",
        43,
        ColumnKind.DIGEST,
        "keyed digest of the caller's Idempotency-Key and tenant",
        unique=True,
        index=True,
    ),
    text(
        "request_digest", 43, ColumnKind.DIGEST, "tells a repetition from another request under its key", nullable=False
    ),
    stripe_id("stripe_customer_id", "for whom"),
    stripe_id("stripe_subscription_id", "which subscription is changed"),
    stripe_id("stripe_price_id", "which plan"),
    stripe_id("stripe_payment_intent_id", "which payment is refunded"),
    number("amount", ColumnKind.AMOUNT, "how much is refunded, in the currency's smallest unit; all of it without"),
    stripe_id("stripe_result_id", "what Stripe made or changed"),
    status("result_status", 20, "its status in Stripe's answer"),
    number("attempts", ColumnKind.NUMBER, "how often it was tried, for the operator", nullable=False),
    moment("created_at", "age of the row, for giving up and for the purge", nullable=False, index=True),
    moment("next_attempt_at", "when the worker may take it; none once it is finished", index=True),
    moment("claimed_until", "until when somebody is at it; a claim outlives a crash"),
    moment("finished_at", "shows the caller when it was done"),
    info={
        "retention": TableRetention(
            "a caller asks within days; three months cover a disputed charge's first questions",
            90,
            "created_at",
            ("status", ("succeeded", "failed", "given_up")),
        )
    },
)

# Append-only: triggers (SQLite) and grants (PostgreSQL) refuse changes, and the chain of digests shows them.
audit_log = Table(
    "audit_log",
    metadata,
    number("sequence", ColumnKind.NUMBER, "order, without gaps", primary_key=True, autoincrement=False),
    moment("recorded_at", "when (PCI DSS 10.2.2)", nullable=False),
    status("event", 40, "what happened", nullable=False),
    text("actor", 100, ColumnKind.PARTY, "who: a principal, a role or an operator's user number", nullable=False),
    status("result", 20, "success, ignored, refused or failed", nullable=False),
    status("reason", 60, "why it was ignored, refused or failed, or the state that was reached"),
    text("origin", 64, ColumnKind.PARTY, "where it came from: an address or the command line", nullable=False),
    text("object_id", LONGEST_ID, ColumnKind.STRIPE_ID, "what it was done to: a Stripe id or the name of a table"),
    text("reference", LONGEST_ID, ColumnKind.STRIPE_ID, "the event or the error that it belongs to"),
    number("quantity", ColumnKind.NUMBER, "how many rows a purge removed"),
    text("digest", 43, ColumnKind.DIGEST, "keyed digest over the record and the digest before it", nullable=False),
    own_id("tenant_id", "whose auditor may read it; without, it is the operator's", index=True),
    info={"retention": TableRetention("twelve months, all of them at hand (PCI DSS 10.5.1)", 365, "recorded_at")},
)

# Where the chain begins and ends: what shows that records are missing there.
audit_anchors = Table(
    "audit_anchors",
    metadata,
    status("name", 10, "start (the last record that was purged) or end (the last record)", primary_key=True),
    number("sequence", ColumnKind.NUMBER, "sequence of that record", nullable=False),
    text("digest", 43, ColumnKind.DIGEST, "digest of that record", nullable=False),
    text("seal", 43, ColumnKind.DIGEST, "keyed digest over this row", nullable=False),
    info={"retention": TableRetention("two rows, needed as long as there is a log")},
)
