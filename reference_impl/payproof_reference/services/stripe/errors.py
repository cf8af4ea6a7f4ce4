"""Failures at Stripe: a category for the caller, and details for the internal log only."""

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from payproof_reference.text.references import new_reference

__all__ = [
    "OURS",
    "REQUEST_ID_SHAPE",
    "AttemptFailedError",
    "BillingError",
    "Category",
    "Failure",
    "FailureKind",
    "categorise",
    "is_outage",
    "keep_word",
]

# The shape of Stripe's types and codes, such as card_declined: no sentence, key, name or card number has it.
NAME_SHAPE = re.compile(r"[a-z][a-z_]{0,59}")
REQUEST_ID_SHAPE = re.compile(r"req_[A-Za-z0-9_]{1,60}")


class Category(StrEnum):
    """All that the outside may learn of a failure at Stripe."""

    CARD_DECLINED = "card_declined"
    INVALID_REQUEST = "invalid_request"
    RATE_LIMITED = "rate_limited"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    CONFIGURATION = "configuration"


MESSAGES = {
    # One text for every decline: Stripe asks that fraudulent, lost_card and stolen_card look like any other.
    Category.CARD_DECLINED: "The payment was declined. Please use another payment method.",
    Category.INVALID_REQUEST: "The request could not be processed.",
    Category.RATE_LIMITED: "There are too many requests at the moment. Please try again later.",
    Category.TEMPORARILY_UNAVAILABLE: "Payments are not available at the moment. Please try again later.",
    Category.CONFIGURATION: "Payments are not available. Please contact support.",
}


class BillingError(Exception):
    """An operation at Stripe failed; carries nothing that Stripe said.

    Attributes:
        category: what kind of failure it is.
        message: the generic text of the category.
        reference: leads to the line of the internal log that tells the rest.
        retry_after: the seconds for which Stripe asked to be left alone, if it did.
    """

    def __init__(self, category: Category, *, reference: str | None = None, retry_after: int | None = None) -> None:
        self.category = category
        self.message = MESSAGES[category]
        self.reference = reference or new_reference()
        self.retry_after = retry_after
        super().__init__(self.message)


class FailureKind(StrEnum):
    """How an attempt ended without a result."""

    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"
    UNVERIFIED_PEER = "unverified_peer"
    UNREADABLE_ANSWER = "unreadable_answer"
    ERROR_ANSWER = "error_answer"
    UNEXPECTED_OBJECT = "unexpected_object"
    NOT_SUPPORTED = "not_supported"


BY_STATUS: dict[int, Category] = {
    HTTPStatus.PAYMENT_REQUIRED: Category.CARD_DECLINED,
    HTTPStatus.TOO_MANY_REQUESTS: Category.RATE_LIMITED,
    HTTPStatus.UNAUTHORIZED: Category.CONFIGURATION,
    HTTPStatus.FORBIDDEN: Category.CONFIGURATION,
    # Another request holds the object or the key; something behind Stripe failed.
    HTTPStatus.CONFLICT: Category.TEMPORARILY_UNAVAILABLE,
    HTTPStatus.FAILED_DEPENDENCY: Category.TEMPORARILY_UNAVAILABLE,
}
BY_KIND = {FailureKind.UNVERIFIED_PEER: Category.CONFIGURATION, FailureKind.NOT_SUPPORTED: Category.INVALID_REQUEST}
# Ended by this service: no repetition changes them, and they say nothing of Stripe's health.
OURS = frozenset({FailureKind.NOT_SENT, FailureKind.UNEXPECTED_OBJECT, FailureKind.NOT_SUPPORTED})


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, reduced to what decides on a retry and what the internal log may show (PCI DSS 10.2.2).

    `reason` is a word of ours or the name of an exception's class. Stripe's message, its `param` and the body are
    dropped where the answer is read, so that nothing further on can leak them.
    """

    kind: FailureKind
    reason: str | None = None
    status: int | None = None
    error_type: str | None = None
    code: str | None = None
    decline_code: str | None = None
    request_id: str | None = None
    retry_after: int | None = None
    should_retry: bool | None = None


class AttemptFailedError(Exception):
    """One request came to nothing; carries a `Failure` and no text of Stripe's."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.kind.value)
        self.failure = failure


def categorise(failure: Failure) -> Category:
    """Choose the category of a failure. Source: https://docs.stripe.com/api/errors."""
    if failure.error_type == "card_error":
        return Category.CARD_DECLINED
    # A rate limit was once a 400 with this code.
    if failure.code == "rate_limit":
        return Category.RATE_LIMITED
    if failure.status in BY_STATUS:
        return BY_STATUS[failure.status]
    if blames_request(failure.status):
        return Category.INVALID_REQUEST
    return BY_KIND.get(failure.kind, Category.TEMPORARILY_UNAVAILABLE)


def is_outage(failure: Failure) -> bool:
    """Tell whether Stripe was out of reach or broken; a refusal, a decline or a rate limit shows that it works."""
    return failure.kind not in OURS and not blames_request(failure.status)


def blames_request(status: int | None) -> bool:
    """Tell whether a status is of the class that puts the fault with the request."""
    return status is not None and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def keep_word(value: object, shape: re.Pattern[str] = NAME_SHAPE) -> str | None:
    """Return a word of Stripe's vocabulary as it is, and anything else as None."""
    return value if isinstance(value, str) and shape.fullmatch(value) else None
