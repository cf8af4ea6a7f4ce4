"""Carrying an operation out: an attempt at Stripe, and what follows from it.

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
from payproof_reference.services.operations.queue import Kind, Operation, Status
from payproof_reference.services.operations.transitions import WORKER, Consequence
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.port import StripeGateway

__all__ = ["Attempts"]

log = structlog.get_logger()

Value = TypeVar("Value")


class Attempts:
    """What carries operations out, for all threads of the process.

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

    def attempt(self, operation: Operation, origin: str) -> Operation:
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
        outcome = self._outcome(operation)
        now = int(self._clock())
        if not isinstance(outcome, BillingError):
            return self._settle(operation, transitions.succeeded(operation, outcome, now, origin), outcome, since)
        if transitions.is_passing(outcome):
            deadline = operation.created_at + self._give_up_seconds
            consequence = transitions.deferred(
                operation, outcome, now, deadline, self._chance(), origin, base=self._pause_seconds
            )
        else:
            consequence = transitions.failed(operation, outcome, now, origin)
        present = self._settle(operation, consequence, outcome)
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
            log.error("operation_given_up", **named(claimed), outcome="unknown" if claimed.is_doubtful else "not done")
            return True
        # A refusal is recorded and logged, and nobody waits for it here.
        with contextlib.suppress(BillingError):
            self.attempt(claimed, WORKER)
        return True

    def _outcome(self, operation: Operation) -> Answer | BillingError:
        try:
            return call(self._gateway, operation)
        except BillingError as error:
            return error

    def _settle(
        self, operation: Operation, consequence: Consequence, outcome: Answer | BillingError, since: int = 0
    ) -> Operation:
        """Write what follows, unless a later attempt was quicker, and return what is written."""
        with self._engine.begin() as connection:
            is_ours = queue.settle(connection, operation, **consequence.values)
            if is_ours and not isinstance(outcome, BillingError):
                answers.apply(connection, operation, outcome, since)
            if is_ours:
                self._record(connection, consequence)
            present = queue.present(connection, operation)
        reference = outcome.reference if isinstance(outcome, BillingError) else None
        log.info(consequence.event if is_ours else "attempt_superseded", **named(present), reference=reference)
        return present

    def _record(self, connection: Connection, consequence: Consequence) -> None:
        if consequence.record is not None:
            self._audit.append(connection, consequence.record)

    def _claim_next(self) -> Operation | None:
        """Claim what is due, or return it as given up when its time is over."""
        now = int(self._clock())
        with self._engine.connect().execution_options(read_only=True) as connection:
            # So that a worker who has nothing to do takes no lock.
            if connection.execute(queue.due(now)).first() is None:
                return None
        with self._engine.begin() as connection:
            row = connection.execute(queue.due(now).with_for_update(skip_locked=True, of=table)).mappings().first()
            if row is None:
                return None
            found = queue.read(row)
            if now >= found.created_at + self._give_up_seconds:
                return self._give_up(connection, found, now)
            if found.claimed_until is None:
                return queue.claim(connection, found, now)
            consequence = transitions.abandoned(found)
            self._record(connection, consequence)
            return queue.claim(connection, found, now, **consequence.values)

    def _give_up(self, connection: Connection, operation: Operation, now: int) -> Operation:
        consequence = transitions.given_up(operation, now)
        queue.settle(connection, operation, **consequence.values)
        self._record(connection, consequence)
        return queue.present(connection, operation)


def call(gateway: StripeGateway, operation: Operation) -> Answer:
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
            customer_id, price_id = given(operation.stripe_customer_id), given(operation.stripe_price_id)
            answer = gateway.create_subscription(customer_id=customer_id, price_id=price_id, idempotency_key=key)
        case Kind.CHANGE_PLAN:
            subscription_id, price_id = given(operation.stripe_subscription_id), given(operation.stripe_price_id)
            answer = gateway.change_plan(subscription_id, price_id=price_id, idempotency_key=key)
        case Kind.CANCEL_AT_PERIOD_END:
            answer = gateway.cancel_at_period_end(given(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.CANCEL_NOW:
            answer = gateway.cancel_now(given(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.RESUME:
            answer = gateway.resume(given(operation.stripe_subscription_id), idempotency_key=key)
        case Kind.REFUND:
            intent = given(operation.stripe_payment_intent_id)
            answer = gateway.create_refund(payment_intent_id=intent, amount=operation.amount, idempotency_key=key)
        case _:
            assert_never(operation.kind)
    return answer


def given(value: Value | None) -> Value:
    """Return a field that this kind of operation always has."""
    assert value is not None
    return value


def named(operation: Operation) -> dict[str, object]:
    """Name an operation in the log."""
    return {
        "operation_id": operation.operation_id,
        "kind": operation.kind,
        "attempts": operation.attempts,
        "category": operation.category,
    }
