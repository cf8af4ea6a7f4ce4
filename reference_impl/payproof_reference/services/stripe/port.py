"""The port to Stripe: its calls, their idempotency keys, and the objects that come back.

Customers and subscriptions come back as the snapshots that events carry, so that an object that was fetched is applied
like one that was delivered. None of them has room for card data, names or addresses (PCI DSS 3.2.1).
"""

import re
from typing import Annotated, Literal, Protocol

from pydantic import Field

from payproof_reference.services.stripe.snapshots import (
    Amount,
    Currency,
    CustomerSnapshot,
    InvoiceId,
    StripeObject,
    SubscriptionSnapshot,
    Timestamp,
)

__all__ = [
    "InvoicePage",
    "InvoiceSummary",
    "OpenedCheckout",
    "OpenedPortal",
    "RefundSnapshot",
    "StripeGateway",
    "check_key",
    "check_subscription_id",
]

SUBSCRIPTION_ID_SHAPE = re.compile(r"sub_[A-Za-z0-9_]{1,250}")
KEY_SHAPE = re.compile(r"[!-~]{1,255}")
# Whoever holds the address can act as the customer until it expires, so it is not for logs.
Address = Annotated[str, Field(pattern=r"^https://", repr=False)]


class RefundSnapshot(StripeObject):
    """A refund; the amount is in the currency's smallest unit."""

    id: Annotated[str, Field(pattern=r"^(re|pyr)_[A-Za-z0-9_]{1,250}$")]
    payment_intent: Annotated[str | None, Field(pattern=r"^pi_[A-Za-z0-9_]{1,250}$")] = None
    amount: Amount
    currency: Currency
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None
    created: Timestamp


class OpenedCheckout(StripeObject):
    """A page of Stripe's on which a customer pays, so that card data never reaches this service (SAQ A)."""

    id: Annotated[str, Field(pattern=r"^cs_[A-Za-z0-9_]{1,250}$")]
    url: Address
    status: Literal["open", "complete", "expired"] | None
    expires_at: Timestamp


class OpenedPortal(StripeObject):
    """A page of Stripe's on which a customer manages cards and subscriptions."""

    id: Annotated[str, Field(pattern=r"^bps_[A-Za-z0-9_]{1,250}$")]
    url: Address
    created: Timestamp


class InvoiceSummary(StripeObject):
    """An invoice in a list; amounts in the currency's smallest unit."""

    id: InvoiceId
    status: Literal["draft", "open", "paid", "uncollectible", "void"] | None
    amount_due: Amount
    amount_paid: Amount
    currency: Currency
    created: Timestamp


class InvoicePage(StripeObject):
    """Some invoices, newest first, and whether there are older ones."""

    data: list[InvoiceSummary]
    has_more: bool


class StripeGateway(Protocol):
    """Stripe, as far as the service uses it.

    Every call raises BillingError, and no other exception, when Stripe refuses, fails or is out of reach. Of a write
    that ended as temporarily unavailable nobody knows whether Stripe did it.

    An `idempotency_key` names one operation of one caller, who stores it before the first call and uses it again for
    every repetition, after a restart too: Stripe then does it once. Stripe forgets keys after 24 hours, so an operation
    must be given up before that; and it keeps a decline under its key, so another card needs another key.
    Source: https://docs.stripe.com/api/idempotent_requests.
    """

    def create_customer(self, *, reference: str, idempotency_key: str) -> CustomerSnapshot:
        """Create a customer who carries nothing but the service's own opaque reference."""
        ...

    def create_subscription(self, *, customer_id: str, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Subscribe a customer and collect the first payment; a decline creates nothing."""
        ...

    def retrieve_subscription(self, subscription_id: str) -> SubscriptionSnapshot:
        """Fetch the state of a subscription: for a webhook that cannot tell which of two events is newer."""
        ...

    def change_plan(self, subscription_id: str, *, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Move a subscription of one plan to another price, with prorations; a decline changes nothing."""
        ...

    def cancel_at_period_end(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Let a subscription end with the period that is paid."""
        ...

    def resume(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Take back a cancellation at the period's end, which only works before it."""
        ...

    def cancel_now(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """End a subscription at once; one that has ended already is a success."""
        ...

    def create_refund(self, *, payment_intent_id: str, amount: int | None, idempotency_key: str) -> RefundSnapshot:
        """Pay back an amount in the currency's smallest unit, or with None all that is left."""
        ...

    def create_checkout_session(
        self, *, customer_id: str, price_id: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> OpenedCheckout:
        """Open a page on which a customer subscribes. That the success URL is visited proves no payment."""
        ...

    def create_portal_session(self, *, customer_id: str, return_url: str, idempotency_key: str) -> OpenedPortal:
        """Open a page on which a customer manages cards and subscriptions."""
        ...

    def list_invoices(self, *, customer_id: str, limit: int, starting_after: str | None = None) -> InvoicePage:
        """List up to `limit` (1 to 100) invoices of a customer, newest first, after the one with the given id."""
        ...


def check_key(key: str) -> str:
    """Return an idempotency key that Stripe takes.

    Raises:
        ValueError: it is empty, too long or not visible ASCII. For an empty one the SDK would make up another at each
            attempt, and a retry would charge twice.
    """
    if not KEY_SHAPE.fullmatch(key):
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters")
    return key


def check_subscription_id(subscription_id: str) -> str:
    """Return an id that can stand in a path.

    Raises:
        ValueError: it is none. An empty one, or "..", would address another part of Stripe's API.
    """
    if not SUBSCRIPTION_ID_SHAPE.fullmatch(subscription_id):
        raise ValueError("not the id of a subscription")
    return subscription_id
