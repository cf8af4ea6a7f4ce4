"""The next state of an operation after an attempt: the columns to write and the record to keep; pure."""

import math
from dataclasses import dataclass
from typing import Any

from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.services.identity.roles import actor_of
from payproof_reference.services.operations.answers import Answer
from payproof_reference.services.operations.queue import OperationRow, Status
from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.port import RefundSnapshot
from payproof_reference.services.stripe.snapshots import CustomerSnapshot

__all__ = [
    "PAUSE_SECONDS",
    "WORKER",
    "Transition",
    "abandon",
    "build_record",
    "choose_pause",
    "defer",
    "fail",
    "give_up",
    "is_passing",
    "succeed",
]

# Where an attempt comes from that no request waits for.
WORKER = "worker"
PAUSE_SECONDS = 5
CAP_SECONDS = 300
MOST_DOUBLINGS = 10
# What may be different later. Everything else is an answer to the caller.
PASSING = frozenset({Category.TEMPORARILY_UNAVAILABLE, Category.RATE_LIMITED})
# Said of the request itself, so under its key it would have been said the first time too.
CERTAIN = frozenset({Category.CARD_DECLINED, Category.INVALID_REQUEST})
UNKNOWN = "outcome_unknown"


@dataclass(frozen=True, slots=True)
class Transition:
    """What happened, the columns of the operation that change, and the audit record unless it is recorded already."""

    event: Action
    values: dict[str, Any]
    record: Record | None


def is_passing(error: BillingError) -> bool:
    """Tell whether another attempt may end otherwise."""
    return error.category in PASSING


def succeed(operation: OperationRow, answer: Answer, now: int, origin: str) -> Transition:
    """Say what follows from Stripe's answer."""
    values = {
        "status": Status.SUCCEEDED,
        "category": None,
        "stripe_result_id": answer.id,
        "result_status": None if isinstance(answer, CustomerSnapshot) else answer.status,
        "amount": answer.amount if isinstance(answer, RefundSnapshot) else operation.amount,
        "next_attempt_at": None,
        "finished_at": now,
    }
    event = Action.OPERATION_SUCCEEDED
    return Transition(event, values, build_record(operation, event, origin, object_id=answer.id))


def defer(
    operation: OperationRow, error: BillingError, now: int, deadline: int, chance: float, origin: str, *, base: int
) -> Transition:
    """Say what follows from an outage or a rate limit: another attempt, or at the deadline the end.

    The attempt ended within the second after ``now``; the pause is reckoned from its end, and so never shorter.
    """
    category = operation.category if operation.is_doubtful else error.category
    at = min(now + 1 + choose_pause(operation.attempts, error.retry_after, chance, base), max(now, deadline))
    return put_off(operation, origin, category, next_attempt_at=at)


def abandon(operation: OperationRow) -> Transition:
    """Say what follows from a claim that ran out: nobody saw how the attempt ended."""
    return put_off(operation, WORKER, Category.TEMPORARILY_UNAVAILABLE)


def put_off(operation: OperationRow, origin: str, category: Category | None, **values: Any) -> Transition:
    """Say that another attempt is needed; recorded once, since an outage of hours would fill the log."""
    event = Action.OPERATION_DEFERRED
    record = build_record(operation, event, origin, category) if operation.category is None else None
    return Transition(event, values | {"category": category}, record)


def fail(operation: OperationRow, error: BillingError, now: int, origin: str) -> Transition:
    """Say what follows from a refusal."""
    event = Action.OPERATION_FAILED
    values = {"status": Status.FAILED, "category": error.category, "next_attempt_at": None, "finished_at": now}
    in_doubt = operation.is_doubtful and error.category not in CERTAIN
    return Transition(event, values, build_record(operation, event, origin, UNKNOWN if in_doubt else error.category))


def give_up(operation: OperationRow, now: int) -> Transition:
    """Say what follows when no time is left: an operator has to look at Stripe if the outcome is unknown."""
    event = Action.OPERATION_GIVEN_UP
    in_doubt = operation.is_doubtful or operation.claimed_until is not None
    category = Category.TEMPORARILY_UNAVAILABLE if in_doubt else operation.category
    values = {"status": Status.GIVEN_UP, "category": category, "next_attempt_at": None, "finished_at": now}
    return Transition(event, values, build_record(operation, event, WORKER, UNKNOWN if in_doubt else category))


def choose_pause(attempts: int, retry_after: int | None, chance: float, base: int = PAUSE_SECONDS) -> int:
    """Choose the seconds until the next attempt: exponential backoff with jitter, on top of what Stripe asked for.

    Args:
        attempts: how many there were.
        retry_after: the seconds for which Stripe asked to be left alone, if it did.
        chance: a random number from 0 up to 1, which spreads what an outage has gathered.
        base: the longest first pause.
    """
    longest: int = min(CAP_SECONDS, base << min(attempts - 1, MOST_DOUBLINGS))
    return (retry_after or 0) + math.ceil(longest * (1 + chance) / 2)


def build_record(
    operation: OperationRow, event: Action, origin: str, detail: str | None = None, object_id: str | None = None
) -> Record:
    """Build the audit record of a step of an operation, whose id leads to all the others."""
    wrong = event in {Action.OPERATION_DEFERRED, Action.OPERATION_FAILED, Action.OPERATION_GIVEN_UP}
    return Record(
        event=event,
        actor=actor_of(operation.credential_id),
        result=Result.FAILED if wrong else Result.SUCCESS,
        origin=origin,
        reason=f"{operation.kind}: {detail}" if detail else operation.kind,
        object_id=object_id or operation.target_id,
        reference=operation.operation_id,
        tenant_id=operation.tenant_id,
    )
