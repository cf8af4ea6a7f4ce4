"""The operations that a target offers, and the calls to Stripe that they cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payproof.domain.sensitive import Secret

__all__ = ["KINDS", "OPERATIONS", "Operation", "OperationContract", "Price", "Principal", "Trouble", "UpstreamSpec"]

#: The operations that a target file may describe, by what they are for.
OPERATIONS: Mapping[str, str] = {
    "cancel": "ends a subscription",
    "change_plan": "moves a subscription to another price",
    "checkout": "opens a Checkout page",
    "create_customer": "creates a customer",
    "pay": "charges a card once",
    "portal": "opens a page of the customer portal",
    "refund": "pays back",
    "resume": "takes back a cancellation",
    "subscribe": "creates a subscription and collects its first payment",
}

#: What scenarios ask for where any of several operations would do, in the order of preference.
KINDS: Mapping[str, tuple[str, ...]] = {
    "charging": ("subscribe", "pay", "change_plan"),
    "writing": ("create_customer", "pay", "subscribe", "checkout", "refund"),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a credential, and the header that carries it, after ``scheme`` where there is one.

    ``tenant`` is whose objects are theirs. ``may`` are the operations that they may do, beside those that are asked for
    as them, with ``*`` for any text; None where that is not known. One who is ``expired`` is refused everywhere.
    """

    name: str
    credential: Secret
    header: str = "Authorization"
    scheme: str = "Bearer"
    tenant: str = ""
    may: tuple[str, ...] | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A route of the target and the call to Stripe that it causes.

    ``path`` and ``body`` may hold ``{name}`` for what an earlier operation kept; ``keep`` are such names with their
    dotted places in the answer's JSON. ``after`` are the operations that must have been performed before. ``calls`` is
    the method and path of the call to Stripe, with ``*`` for ids.
    """

    name: str
    method: str
    path: str
    calls: str
    principal: Principal | None = None
    body: Mapping[str, Any] | None = None
    after: tuple[str, ...] = ()
    keep: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationContract:
    """The promises of a target about its operations.

    ``declined``, ``refused``, ``misconfigured`` and ``unavailable`` are the statuses that tell of a declined card, of a
    request that Stripe refuses, of a key that Stripe refuses, and of an outage; ``pending`` those that promise to do
    it later, within ``completed_within`` seconds of Stripe's return. ``reference`` is the place in the answer's JSON of
    the id that leads to the log. After ``breaker_after`` failures in a row Stripe is left alone for ``breaker_rest``
    seconds. ``logged`` are the fields of Stripe's errors that the log may hold.
    """

    declined: frozenset[int] = frozenset({400, 402, 409, 422})
    refused: frozenset[int] = frozenset({400, 402, 404, 409, 422, 500, 502, 503})
    misconfigured: frozenset[int] = frozenset({500, 502, 503})
    unavailable: frozenset[int] = frozenset({429, 502, 503, 504})
    pending: frozenset[int] = frozenset({202})
    answer_within: float = 30.0
    completed_within: float = 30.0
    reference: str | None = None
    breaker_after: int | None = None
    breaker_rest: float = 15.0
    logged: frozenset[str] = frozenset({"Request-Id"})


@dataclass(frozen=True, slots=True)
class Price:
    """A monthly price that the double is to know; the amount is in the currency's smallest unit."""

    amount: int
    currency: str = "usd"
    recurring: bool = True


@dataclass(frozen=True, slots=True)
class UpstreamSpec:
    """Where the upstream listens, and what answers behind it.

    ``backend`` is ``double``, ``stripe-mock``, ``stripe`` (its test mode, under ``key``) or the URL of another server.
    ``card`` is the test card that the double gives each customer, and ``prices`` are those that it knows by id.
    ``folder`` keeps the certificate authority of an HTTPS upstream from run to run.
    """

    url: str
    backend: str = "double"
    key: Secret | None = None
    folder: str | None = None
    card: str | None = "pm_card_visa"
    prices: Mapping[str, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault, by the name of Stripe's error or of what goes wrong on the way, for calls of a method and path.

    It strikes ``times`` calls, or with None all, after the first ``after``. ``moment`` is ``before`` or ``after`` the
    call was taken, for an error. ``retry_after`` is in seconds.
    """

    name: str
    calls: str
    times: int | None = None
    after: int = 0
    moment: str = "before"
    retry_after: int | None = None
    should_retry: bool | None = None
