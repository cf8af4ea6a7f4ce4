"""One call to Stripe: attempts within the policy, the breaker around them, and a log line for each."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import NoReturn, TypeVar, assert_never

import structlog

from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.errors import BillingError, Failure, FailureKind, categorise, is_outage
from payproof_reference.services.stripe.retry import GiveUp, Policies, Policy, Retry, decide

__all__ = ["CALLS_AT_ONCE", "Caller"]

log = structlog.get_logger()

Result = TypeVar("Result")
# Half of the threads that serve requests: however slow Stripe is, webhooks keep the others.
CALLS_AT_ONCE = 20


class Caller:
    """Executes calls; one for all threads of the process.

    Args:
        breaker: shared by all calls.
        policies: the bounds of what reads and of what writes.
        sleep: waits for so many seconds.
        clock: seconds that never go back.
        chance: random numbers from 0 up to 1.
        observe: called with the operation and the result of every attempt, for the metrics.
    """

    def __init__(
        self,
        breaker: Breaker,
        policies: Policies | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        observe: Callable[[str, str], None] = lambda _operation, _result: None,
    ) -> None:
        self.policies = policies or Policies()
        self._breaker = breaker
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._observe = observe
        self._places = threading.BoundedSemaphore(CALLS_AT_ONCE)

    def call(self, operation: str, policy: Policy, attempt: Callable[[], Result | Failure]) -> Result:
        """Attempt an operation until it succeeds or the policy ends it.

        Raises:
            BillingError: outside of every handler, so that it has no `__context__`; its reference is in the log.
        """
        if not self._places.acquire(blocking=False):
            self._refuse(operation, 0, Failure(FailureKind.NOT_SENT, reason="too_many_calls"))
        try:
            return self._repeat(operation, policy, attempt)
        finally:
            self._places.release()

    def _repeat(self, operation: str, policy: Policy, attempt: Callable[[], Result | Failure]) -> Result:
        started = self._clock()
        for number in itertools.count(1):
            outcome = self._once(attempt)
            if not isinstance(outcome, Failure):
                self._observe(operation, "succeeded")
                log.info("stripe_call_succeeded", operation=operation, attempts=number)
                return outcome
            plan = decide(number, outcome, policy, spent=self._clock() - started, chance=self._chance())
            match plan:
                case Retry(after_seconds=wait):
                    self._observe(operation, "retried")
                    log.warning(
                        "stripe_call_retried",
                        operation=operation,
                        attempt=number,
                        wait=wait,
                        **describe_failure(outcome),
                    )
                    self._sleep(wait)
                case GiveUp():
                    self._refuse(operation, number, outcome)
                case _:
                    assert_never(plan)
        raise AssertionError("counting does not end")

    def _once(self, attempt: Callable[[], Result | Failure]) -> Result | Failure:
        if not self._breaker.admit():
            return Failure(FailureKind.NOT_SENT, reason="breaker_open")
        outcome = attempt()
        self._breaker.report(outage=isinstance(outcome, Failure) and is_outage(outcome))
        return outcome

    def _refuse(self, operation: str, attempts: int, failure: Failure) -> NoReturn:
        error = BillingError(categorise(failure), retry_after=failure.retry_after)
        self._observe(operation, error.category)
        log.warning(
            "stripe_call_failed",
            operation=operation,
            attempts=attempts,
            category=error.category,
            reference=error.reference,
            **describe_failure(failure),
        )
        raise error


def describe_failure(failure: Failure) -> dict[str, object]:
    """List what the internal log tells of a failure, whose fields were scrubbed when it was made."""
    return {name: value for name, value in asdict(failure).items() if value is not None}
