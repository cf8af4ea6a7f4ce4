"""The queue of operations: the requests to Stripe, their order, and their outcomes.

An operation runs when nothing that was asked before it of the same object is unfinished. Whoever runs it claims it for
a while, so that a crash costs that while and nothing else. `attempts` counts the claims, and only the last one may
finish the operation: of two that were at it, because the first was slow, one has the effect.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, String, and_, bindparam, exists, func, or_, select
from sqlalchemy.sql import FromClause

from payproof_reference.database.engine import insert
from payproof_reference.database.tables import operations
from payproof_reference.services.stripe.errors import Category
from payproof_reference.services.stripe.retry import READS, WRITES

__all__ = [
    "LEASE_SECONDS",
    "Backlog",
    "Kind",
    "OperationRow",
    "Status",
    "WantedOperation",
    "build_due_query",
    "build_listing",
    "build_target",
    "claim_operation",
    "count_backlog",
    "enter_operation",
    "find_operation",
    "is_unfinished",
    "match_operation",
    "read_again",
    "read_row",
    "restrict_to_tenant",
    "settle_operation",
]

# The longest operation is a read and a write. Their bounds say when the last request may begin, so twice that.
LEASE_SECONDS = int(2 * (READS.total_seconds + WRITES.total_seconds))


class Kind(StrEnum):
    """The kinds of requests to Stripe."""

    CREATE_CUSTOMER = "create_customer"
    CREATE_SUBSCRIPTION = "create_subscription"
    CHANGE_PLAN = "change_plan"
    CANCEL_AT_PERIOD_END = "cancel_at_period_end"
    CANCEL_NOW = "cancel_now"
    RESUME = "resume"
    REFUND = "refund"


class Status(StrEnum):
    """Where an operation is; all but the first are for good."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedOperation:
    """What is to be done and to what; the fields are columns, and the amount is in the currency's smallest unit."""

    kind: Kind
    stripe_customer_id: str | None = None
    stripe_subscription_id: str | None = None
    stripe_price_id: str | None = None
    stripe_payment_intent_id: str | None = None
    amount: int | None = None

    @property
    def target_id(self) -> str | None:
        """The object whose operations run one after the other; a customer who is to be created has no id yet."""
        return self.stripe_subscription_id or self.stripe_payment_intent_id or self.stripe_customer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow(WantedOperation):
    """One row of the table; times in seconds since the epoch.

    `category` is why it failed, or while it is pending why the last attempt came to nothing. Once an attempt may have
    taken effect unseen it stays `temporarily_unavailable` until Stripe's answer is known.
    """

    operation_id: str
    tenant_id: str
    credential_id: str
    status: Status
    category: Category | None
    client_key: str | None = field(repr=False)
    request_digest: str = field(repr=False)
    stripe_result_id: str | None
    result_status: str | None
    attempts: int
    created_at: int
    next_attempt_at: int | None
    claimed_until: int | None
    finished_at: int | None

    @property
    def is_doubtful(self) -> bool:
        """Whether an attempt ended without an answer, so that nobody knows what Stripe did."""
        return self.category is Category.TEMPORARILY_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Backlog:
    """The pending operations: their number, and the age of the oldest in seconds."""

    pending: int
    oldest_seconds: int


def read_row(row: RowMapping) -> OperationRow:
    """Read a row of the table."""
    category = row["category"]
    words = {"kind": Kind(row["kind"]), "status": Status(row["status"])}
    return OperationRow(**{**row, **words, "category": None if category is None else Category(category)})


def find_operation(connection: Connection, condition: ColumnElement[bool]) -> OperationRow | None:
    """Read the one operation that meets a condition, or None."""
    row = connection.execute(select(operations).where(condition)).mappings().first()
    return None if row is None else read_row(row)


def read_again(connection: Connection, operation: OperationRow) -> OperationRow:
    """Read an operation again."""
    statement = select(operations).where(operations.c.operation_id == operation.operation_id)
    return read_row(connection.execute(statement).mappings().one())


def match_operation(operation_id: str, tenant_id: str) -> ColumnElement[bool]:
    """Build the condition of one operation of a tenant's."""
    return and_(operations.c.operation_id == operation_id, operations.c.tenant_id == tenant_id)


def build_listing(status: Status | None = None) -> Select[Any]:
    """Build the query of all operations, or those of one status, newest first."""
    statement = select(operations).order_by(operations.c.created_at.desc(), operations.c.operation_id.desc())
    return statement if status is None else statement.where(operations.c.status == status)


def restrict_to_tenant(statement: Select[Any], tenant_id: str, after: str | None = None) -> Select[Any]:
    """Reduce a query to the operations of a tenant, and to those that come after one of them."""
    statement = statement.where(operations.c.tenant_id == tenant_id)
    if after is None:
        return statement
    last = operations.alias("last")
    # Only the tenant's own: by another's, it would tell when that was asked for.
    place = select(last.c.created_at).where(last.c.operation_id == after, last.c.tenant_id == tenant_id)
    time = place.scalar_subquery()
    same_second = and_(operations.c.created_at == time, operations.c.operation_id < after)
    return statement.where(or_(operations.c.created_at < time, same_second))


def build_target(table: FromClause) -> ColumnElement[str]:
    """Build the expression of `target_id`."""
    return func.coalesce(table.c.stripe_subscription_id, table.c.stripe_payment_intent_id, table.c.stripe_customer_id)


def is_unfinished(table: FromClause) -> ColumnElement[bool]:
    """Build the condition of what is left to do: as a range, which the index of the column serves."""
    return table.c.next_attempt_at >= 0


def enter_operation(connection: Connection, wanted: WantedOperation, now: int, **values: Any) -> OperationRow | None:
    """Write an operation, claimed if nothing is ahead of it, or return None when its client_key is there already.

    The caller holds a lock on the customer. Operations on one object get distinct times, by which they are ordered.
    """
    # A parameter, which nothing equals when it is null; None itself would be compared by IS NULL.
    same = build_target(operations) == bindparam("target", wanted.target_id, String)
    ahead = connection.execute(
        select(func.max(operations.c.created_at)).where(is_unfinished(operations), same)
    ).scalar()
    statement = insert(connection, operations).values(
        **asdict(wanted),
        **values,
        status=Status.PENDING,
        attempts=1 if ahead is None else 0,
        created_at=now if ahead is None else max(now, ahead + 1),
        next_attempt_at=now,
        claimed_until=now + LEASE_SECONDS if ahead is None else None,
    )
    statement = statement.on_conflict_do_nothing(index_elements=["client_key"])
    row = connection.execute(statement.returning(*operations.c)).mappings().first()
    return None if row is None else read_row(row)


def build_due_query(now: int) -> Select[Any]:
    """Build the query of what can be claimed: its time has come, nobody is at it and nothing is ahead of it."""
    earlier = operations.alias("earlier")
    return (
        select(operations)
        .where(
            operations.c.next_attempt_at <= now,
            or_(operations.c.claimed_until.is_(None), operations.c.claimed_until <= now),
            ~exists().where(
                is_unfinished(earlier),
                build_target(earlier) == build_target(operations),
                earlier.c.created_at < operations.c.created_at,
            ),
        )
        .order_by(operations.c.next_attempt_at, operations.c.created_at)
        .limit(1)
    )


def claim_operation(connection: Connection, operation: OperationRow, now: int, **values: Any) -> OperationRow:
    """Claim an operation whose row is locked, and write what else is to be said of it."""
    statement = operations.update().where(operations.c.operation_id == operation.operation_id)
    values |= {"attempts": operation.attempts + 1, "claimed_until": now + LEASE_SECONDS}
    return read_row(connection.execute(statement.values(values).returning(*operations.c)).mappings().one())


def settle_operation(connection: Connection, operation: OperationRow, **values: Any) -> bool:
    """Write what an attempt came to and end its claim, or return False when it is no longer this attempt's to say."""
    statement = operations.update().where(
        operations.c.operation_id == operation.operation_id,
        operations.c.status == Status.PENDING,
        operations.c.attempts == operation.attempts,
    )
    return connection.execute(statement.values(claimed_until=None, **values)).rowcount == 1


def count_backlog(connection: Connection, now: int) -> Backlog:
    """Count what is unfinished."""
    count, oldest = connection.execute(
        select(func.count(), func.min(operations.c.created_at)).where(is_unfinished(operations))
    ).one()
    return Backlog(count, 0 if oldest is None else max(0, now - oldest))
