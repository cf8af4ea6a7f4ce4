"""Carries an operation out: calls Stripe, then writes the outcome.

Stripe is called outside of any transaction. What it answered, the state that follows and the audit record are then
written in one. A crash before that repeats the attempt under the same idempotency key, and one after it nothing.
"""

import contextlib
import random
import time
from collections.abc import Callable
from typing import TypeVar, assert_never

import structlog
from sqlalchemy import Connection, Engine

from payproof_reference.database.tables import operations as table
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.operations import answers, queue, transitions
from payproof_reference.services.operations.answers import Answer
from payproof_reference.services.operations.queue import Kind, OperationRow, Status
from payproof_reference.services.operations.transitions import WORKER, Transition
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.port import StripeGateway

__all__ = ["Attempts"]

log = structlog.get_logger()

Value = TypeVar("Value")


class Attempts:
    """Carries operations out, for all threads of the process.

    Args:
        engine: the database.
        audit: the audit log in it.
        gateway: the way to Stripe.
        give_up_seconds: how long after it was asked for an operation is still tried; less than Stripe keeps its key.
        pause_seconds: the longest pause after the first attempt; it doubles with each further one.
        clock: seconds since the epoch.
        chance: random numbers from 0 up to 1.
    """

    def __init__(
        self,
        engine: Engine,
        audit: AuditLog,
        gateway: StripeGateway,
        give_up_seconds: int,
        *,
        pause_seconds: int = transitions.PAUSE_SECONDS,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._audit = audit
        self._gateway = gateway
        self._give_up_seconds = give_up_seconds
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._chance = chance

    def attempt(self, operation: OperationRow, origin: str) -> OperationRow:
        """Attempt an operation that is claimed for the caller, and return it as it is then.

        Args:
            operation: as it was claimed.
            origin: the address of the request that waits for it, or WORKER.

        Raises:
            BillingError: Stripe refused, for good; that is recorded.
            AuditBrokenError, SQLAlchemyError: what came of it is not recorded; once the claim runs out it is repeated.
        """
        # To a later attempt Stripe repeats what it answered to the first.
        since = int(self._clock()) if operation.attempts == 1 else operation.created_at
        outcome = self._call(operation)
        now = int(self._clock())
        if not isinstance(outcome, BillingError):
            return self._settle(operation, transitions.succeed(operation, outcome, now, origin), outcome, since)
        if transitions.is_passing(outcome):
            deadline = operation.created_at + self._give_up_seconds
            transition = transitions.defer(
                operation, outcome, now, deadline, self._chance(), origin, base=self._pause_seconds
            )
        else:
            transition = transitions.fail(operation, outcome, now, origin)
        present = self._settle(operation, transition, outcome)
        if present.status is Status.FAILED:
            raise outcome
        return present

    def work_once(self) -> bool:
        """Take the next operation that is due, and attempt it or give it up; return False when none is due.

        Raises:
            AuditBrokenError, SQLAlchemyError: nothing of it is recorded.
        """
        claimed = self._claim_next()
        if claimed is None:
            return False
        if claimed.status is Status.GIVEN_UP:
            # Somebody has to look at Stripe when it is in doubt.
            log.error(
                "operation_given_up",
                **describe_operation(claimed),
                outcome="unknown" if claimed.is_doubtful else "not done",
            )
            return True
        # A refusal is recorded and logged, and nobody waits for it here.
        with contextlib.suppress(BillingError):
            self.attempt(claimed, WORKER)
        return True

    def _call(self, operation: OperationRow) -> Answer | BillingError:
        try:
            return call_stripe(self._gateway, operation)
        except BillingError as error:
            return error

    def _settle(
        self, operation: OperationRow, transition: Transition, outcome: Answer | BillingError, since: int = 0
    ) -> OperationRow:
        """Write what follows, unless a later attempt was quicker, and return what is written."""
        with self._engine.begin() as connection:
            is_ours = queue.settle_operation(connection, operation, **transition.values)
            if is_ours and not isinstance(outcome, BillingError):
                answers.apply_answer(connection, operation, outcome, since)
            if is_ours:
                self._record(connection, transition)
            present = queue.read_again(connection, operation)
        reference = outcome.reference if isinstance(outcome, BillingError) else None
        log.info(
            transition.event if is_ours else "attempt_superseded", **describe_operation(present), reference=reference
        )
        return present

    def _record(self, connection: Connection, transition: Transition) -> None:
        if transition.record is not None:
            self._audit.append(connection, transition.record)

    def _claim_next(self) -> OperationRow | None:
        """Claim what is due, or return it as given up when its time is over."""
        now = int(self._clock())
        with self._engine.connect().execution_options(read_only=True) as connection:
            # So that a worker who has nothing to do takes no lock.
            if connection.execute(queue.build_due_query(now)).first() is None:
                return None
        with self._engine.begin() as connection:
            row = (
                connection.execute(queue.build_due_query(now).with_for_update(skip_locked=True, of=table))
                .mappings()
                .first()
            )
            if row is None:
                return None
            found = queue.read_row(row)
            if now >= found.created_at + self._give_up_seconds:
                return self._give_up(connection, found, now)
            if found.claimed_until is None:
                return queue.claim_operation(connection, found, now)
            transition = transitions.abandon(found)
            self._record(connection, transition)
            return queue.claim_operation(connection, found, now, **transition.values)

    def _give_up(self, connection: Connection, operation: OperationRow, now: int) -> OperationRow:
        transition = transitions.give_up(operation, now)
        queue.settle_operation(connection, operation, **transition.values)
        self._record(connection, transition)
        return queue.read_again(connection, operation)


def call_stripe(gateway: StripeGateway, operation: OperationRow) -> Answer:
    """Ask Stripe for what is wanted, under the id of the operation.

    Raises:
        BillingError: it was refused, or nobody knows whether it was done.
    """
    key = operation.operation_id
    answer: Answer
    match operation.kind:
        case Kind.CREATE_CUSTOMER:
            answer = gateway.create_customer(reference=key, idempotency_key=key)
        case Kind.CREATE_SUBSCRIPTION:
            customer_id, price_id = (
                require_field(operation.stripe_customer_id),
                require_field(operation.stripe_price_id),
            )
            answer = gateway.create_subscription(customer_id=customer_id, price_id=price_id, idempotency_key=key)
        case Kind.CHANGE_PLAN:
            subscription_id, price_id = (
                require_field(operation.stripe_subscription_id),
                require_field(operation.stripe_price_id),
            )
            answer = gateway.change_plan(subscription_id, price_id=price_id, idempotency_key=key)
        case Kind.CANCEL_AT_PERIOD_END:
            answer = gateway.cancel_at_period_end(require_field(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.CANCEL_NOW:
            answer = gateway.cancel_now(require_field(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.RESUME:
            answer = gateway.resume(require_field(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.REFUND:
            intent = require_field(operation.stripe_payment_intent_id)
            answer = gateway.create_refund(payment_intent_id=intent, amount=operation.amount, idempotency_key=key)
        case _:
            assert_never(operation.kind)
    return answer


def require_field(value: Value | None) -> Value:
    """Return a field that this kind of operation always has."""
    assert value is not None
    return value


def describe_operation(operation: OperationRow) -> dict[str, object]:
    """Name an operation in the log."""
    return {
        "operation_id": operation.operation_id,
        "kind": operation.kind,
        "attempts": operation.attempts,
        "category": operation.category,
    }
