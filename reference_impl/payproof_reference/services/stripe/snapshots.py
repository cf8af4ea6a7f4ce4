"""The billing objects as Stripe shows them, in events and in answers, before and after API version 2025-03-31 (basil).

Only ids, statuses, amounts and times are read. Each is held to a shape in which no card number, name or address fits,
because what is read here is what the database keeps (PCI DSS 3.2.1, 3.3.1).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Amount",
    "ChargeSnapshot",
    "CheckoutSnapshot",
    "Currency",
    "CustomerSnapshot",
    "DisputeSnapshot",
    "InvoiceId",
    "InvoiceSnapshot",
    "Snapshot",
    "StripeObject",
    "SubscriptionSnapshot",
    "Timestamp",
]

# Seconds since the epoch.
Timestamp = Annotated[int, Field(ge=0, lt=10**11)]


def id_of(value: Any) -> Any:
    """Reduce an expanded object to its id; Stripe sends either."""
    return value.get("id") if isinstance(value, dict) else value


CustomerId = Annotated[str, BeforeValidator(id_of), Field(pattern=r"^cus_[A-Za-z0-9_]{1,250}$")]
SubscriptionId = Annotated[str, BeforeValidator(id_of), Field(pattern=r"^sub_[A-Za-z0-9_]{1,250}$")]
InvoiceId = Annotated[str, Field(pattern=r"^in_[A-Za-z0-9_]{1,250}$")]
ChargeId = Annotated[str, BeforeValidator(id_of), Field(pattern=r"^(ch|py)_[A-Za-z0-9_]{1,250}$")]
PaymentIntentId = Annotated[str, BeforeValidator(id_of), Field(pattern=r"^pi_[A-Za-z0-9_]{1,250}$")]
DisputeId = Annotated[str, Field(pattern=r"^(dp|du)_[A-Za-z0-9_]{1,250}$")]
SessionId = Annotated[str, Field(pattern=r"^cs_[A-Za-z0-9_]{1,250}$")]
PriceId = Annotated[str, Field(pattern=r"^(price|plan)_[A-Za-z0-9_]{1,250}$")]
# In the currency's smallest unit. Stripe's amounts have at most 12 digits; the shortest card number has 13.
Amount = Annotated[int, Field(gt=-(10**12), lt=10**12)]
Currency = Annotated[str, Field(pattern=r"^[a-z]{3}$")]


class StripeObject(BaseModel):
    """Fields are read strictly and errors hide what was read."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class CustomerSnapshot(StripeObject):
    """A customer: the id alone, since everything else about it is personal."""

    id: CustomerId


class PriceSnapshot(StripeObject):
    id: PriceId
    unit_amount: Amount | None = None
    currency: Currency | None = None


class SubscriptionItem(StripeObject):
    price: PriceSnapshot
    current_period_end: Timestamp | None = None


class SubscriptionItems(StripeObject):
    data: list[SubscriptionItem] = Field(default_factory=list)


class SubscriptionSnapshot(StripeObject):
    """A subscription of one plan; times in seconds since the epoch."""

    id: SubscriptionId
    customer: CustomerId
    status: Literal[
        "active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"
    ]
    cancel_at_period_end: bool = False
    items: SubscriptionItems = SubscriptionItems()
    current_period_end: Timestamp | None = None

    @property
    def price_id(self) -> str | None:
        """The price of the first item."""
        return self.items.data[0].price.id if self.items.data else None

    @property
    def unit_amount(self) -> int | None:
        """What the first item's price asks for one period; none where it has tiers or fractions."""
        return self.items.data[0].price.unit_amount if self.items.data else None

    @property
    def currency(self) -> str | None:
        """The currency of that amount."""
        return self.items.data[0].price.currency if self.items.data else None

    @property
    def period_end(self) -> int | None:
        """The end of the paid period: on the subscription before basil, on its items since."""
        if self.current_period_end is None and self.items.data:
            return self.items.data[0].current_period_end
        return self.current_period_end


class SubscriptionDetails(StripeObject):
    subscription: SubscriptionId | None = None


class InvoiceParent(StripeObject):
    subscription_details: SubscriptionDetails | None = None


class InvoiceSnapshot(StripeObject):
    """An invoice; the amount is in the currency's smallest unit."""

    id: InvoiceId
    customer: CustomerId
    status: Literal["draft", "open", "paid", "uncollectible", "void"]
    amount_due: Amount
    currency: Currency
    subscription: SubscriptionId | None = None
    parent: InvoiceParent | None = None

    @property
    def subscription_id(self) -> str | None:
        """The subscription that is billed: on the invoice before basil, under its parent since; none if one-off."""
        if self.subscription is None and self.parent and self.parent.subscription_details:
            return self.parent.subscription_details.subscription
        return self.subscription


class ChargeSnapshot(StripeObject):
    """A payment, or one that failed; the amounts are in the currency's smallest unit."""

    id: ChargeId
    payment_intent: PaymentIntentId | None = None
    customer: CustomerId | None = None
    status: Literal["failed", "pending", "succeeded"]
    amount: Amount
    amount_refunded: Amount
    currency: Currency


class DisputeSnapshot(StripeObject):
    """A payment that the customer's bank takes back, or asks about; the amount is in the currency's smallest unit."""

    id: DisputeId
    charge: ChargeId
    status: Literal[
        "appeal_needs_response",
        "appeal_under_review",
        "lost",
        "needs_response",
        "prevented",
        "under_review",
        "warning_closed",
        "warning_needs_response",
        "warning_under_review",
        "won",
    ]
    amount: Amount
    currency: Currency


class CheckoutSnapshot(StripeObject):
    """A Checkout session: that it is complete does not mean that it is paid."""

    id: SessionId
    customer: CustomerId | None = None
    status: Literal["open", "complete", "expired"] | None
    payment_status: Literal["no_payment_required", "paid", "unpaid"]


Snapshot = (
    CustomerSnapshot | SubscriptionSnapshot | InvoiceSnapshot | ChargeSnapshot | DisputeSnapshot | CheckoutSnapshot
)
