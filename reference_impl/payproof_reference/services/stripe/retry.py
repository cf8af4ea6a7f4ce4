"""Whether and when to try again: a pure decision, executed elsewhere.

No retry library: tenacity and stamina ask for the same decision in three callbacks (retry, wait, stop) that know
nothing of each other, and carry the exception, with Stripe's text, in their own. The loop that is left is six lines.
"""

from dataclasses import dataclass, replace
from typing import Self

from payproof_reference.services.stripe.errors import OURS, Failure, FailureKind

__all__ = ["READS", "WRITES", "GiveUp", "Policies", "Policy", "Retry", "decide", "may_repeat"]

# What is wrong with these stays wrong, and each repetition of a 402 is another attempt on somebody's card.
NEVER = frozenset({400, 401, 402, 403, 404})
# A lock on the object or on the idempotency key; a rate limit.
LATER = frozenset({409, 429})


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of one operation; all times in seconds.

    Attributes:
        attempts: the most requests that are sent.
        attempt_seconds: how long one request may take.
        total_seconds: how long all of it may take, waits included.
        base_seconds: the upper end of the first wait; it doubles with each further one.
        cap_seconds: the upper end of any wait that Stripe did not ask for.
    """

    attempts: int
    attempt_seconds: float
    total_seconds: float
    base_seconds: float = 0.5
    cap_seconds: float = 4.0


# A read can happen while Stripe waits, 10 seconds at most, for the answer to a webhook.
READS = Policy(attempts=3, attempt_seconds=3, total_seconds=8)
# A write can wait for the customer's bank. A timeout is no loss: the retry with its key finds the result.
WRITES = Policy(attempts=4, attempt_seconds=8, total_seconds=25)


@dataclass(frozen=True, slots=True)
class Policies:
    """The bounds of operations that read and of those that write."""

    reads: Policy = READS
    writes: Policy = WRITES

    @classmethod
    def within(cls, answer_seconds: float, backoff_seconds: float) -> Self:
        """Return the usual bounds, with an answer waited for and a first pause made no longer than said, in seconds.

        They are only ever shortened: how long a claim lasts depends on the usual ones.
        """

        def shorten(usual: Policy) -> Policy:
            return replace(
                usual,
                attempt_seconds=min(usual.attempt_seconds, answer_seconds),
                base_seconds=min(usual.base_seconds, backoff_seconds),
            )

        return cls(shorten(READS), shorten(WRITES))


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after so many seconds."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try again."""


def decide(attempt: int, failure: Failure, policy: Policy, *, spent: float, chance: float) -> Retry | GiveUp:
    """Decide what follows a failed attempt.

    Exponential backoff with full jitter, on top of what Retry-After asks for. A Retry-After beyond the bounds is
    never cut short: the operation gives up instead.

    Args:
        attempt: which attempt failed, from 1.
        failure: how it failed.
        policy: the bounds.
        spent: the seconds since the first attempt began.
        chance: a random number from 0 up to 1.
    """
    if attempt >= policy.attempts or not may_repeat(failure):
        return GiveUp()
    wait = (failure.retry_after or 0) + chance * min(policy.cap_seconds, policy.base_seconds * 2 ** (attempt - 1))
    if spent + wait + policy.attempt_seconds > policy.total_seconds:
        return GiveUp()
    return Retry(wait)


def may_repeat(failure: Failure) -> bool:
    """Tell whether the same request, under the same idempotency key, may succeed later.

    `Stripe-Should-Retry` decides where Stripe sends it: it says no to a 500 that is stored under the key and would
    only be replayed. Source: https://docs.stripe.com/error-low-level.
    """
    if failure.status in NEVER or failure.kind in OURS or failure.kind is FailureKind.UNVERIFIED_PEER:
        return False
    if failure.should_retry is not None:
        return failure.should_retry
    # Success in a form that cannot be read, or no answer: only the key makes it safe to ask again.
    return failure.status is None or failure.status < 300 or failure.status in LATER or failure.status >= 500  # noqa: PLR2004
