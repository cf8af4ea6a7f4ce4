"""The bodies of good answers.

Amounts are in the currency's smallest unit, times in seconds since the epoch.
"""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from payproof_reference.routes.models import StrictModel
from payproof_reference.services.audit.log import Action, Result
from payproof_reference.services.operations.queue import Kind, Status
from payproof_reference.services.stripe.errors import Category

__all__ = [
    "AuditRecord",
    "CheckoutPage",
    "CheckoutSession",
    "Customer",
    "Invoice",
    "Operation",
    "Page",
    "Payment",
    "PortalPage",
    "Refund",
    "Subscription",
]

CustomerId = Annotated[str, Field(examples=["cus_NffrFeUfNV2Hib"])]
SubscriptionId = Annotated[str, Field(examples=["sub_1MowQVLkdIwHu7ixeRlqHVzs"])]
PriceId = Annotated[str, Field(examples=["price_1MoBy5LkdIwHu7ixZhnattbh"])]
PaymentIntentId = Annotated[str, Field(examples=["pi_3MtwBwLkdIwHu7ix28a3tqPa"])]
Currency = Annotated[str, Field(examples=["usd"])]
Amount = Annotated[int, Field(examples=[1999])]
Moment = Annotated[int, Field(examples=[1_767_225_600])]


class Customer(StrictModel):
    """A customer: the id alone, since everything else about it is personal and stays at Stripe."""

    id: CustomerId
    deleted: bool


class Subscription(StrictModel):
    """A subscription of one plan, and whether it grants that plan now."""

    id: SubscriptionId
    customer_id: CustomerId
    price_id: PriceId | None
    status: Annotated[str, Field(examples=["active"])]
    current_period_end: Moment | None
    cancel_at_period_end: bool
    entitled: bool


class Invoice(StrictModel):
    """An invoice, as events told it last."""

    id: Annotated[str, Field(examples=["in_1MtHbELkdIwHu7ixl4OzzPMv"])]
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    status: Annotated[str, Field(examples=["paid"])]
    amount_due: Amount
    currency: Currency


class Payment(StrictModel):
    """A charge; `disputed` while a dispute is open, and when it was lost."""

    id: Annotated[str, Field(examples=["ch_3MmlLrLkdIwHu7ix0snN0B15"])]
    customer_id: CustomerId
    payment_intent_id: PaymentIntentId | None
    status: Annotated[str, Field(examples=["succeeded"])]
    amount: Amount
    amount_refunded: Amount
    currency: Currency
    disputed: bool


class Refund(StrictModel):
    """A refund, as Stripe answered it; its end is told by an event, which changes the payment."""

    id: Annotated[str, Field(examples=["re_1Nispe2eZvKYlo2Cd31jOCgZ"])]
    payment_intent_id: PaymentIntentId
    amount: Amount
    status: Annotated[str | None, Field(examples=["succeeded"])]


class CheckoutPage(StrictModel):
    """A page of Stripe's on which the customer pays. Whoever has the address is the customer there: do not log it."""

    id: Annotated[str, Field(examples=["cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY"])]
    url: Annotated[str, Field(repr=False, examples=["https://checkout.stripe.com/c/pay/cs_test_a1YS"])]
    expires_at: Moment


class PortalPage(StrictModel):
    """A page of Stripe's on which the customer manages subscriptions. Its address is as secret as that of Checkout."""

    id: Annotated[str, Field(examples=["bps_1MrSjzLkdIwHu7ixex0IvU9b"])]
    url: Annotated[str, Field(repr=False, examples=["https://billing.stripe.com/p/session/test_YWNjd"])]


class CheckoutSession(StrictModel):
    """What became of a Checkout session. Only `payment_status` tells whether it was paid."""

    id: Annotated[str, Field(examples=["cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY"])]
    customer_id: CustomerId
    status: Annotated[str | None, Field(examples=["complete"])]
    payment_status: Annotated[str, Field(examples=["paid"])]


class Operation(StrictModel):
    """What was asked of Stripe, and what became of it; a category says why it failed or is still pending."""

    id: Annotated[str, Field(examples=["op_qhzmvkqpwtrcxbnsdflg"])]
    kind: Kind
    status: Status
    category: Category | None
    customer_id: CustomerId | None
    subscription_id: SubscriptionId | None
    price_id: PriceId | None
    payment_intent_id: PaymentIntentId | None
    amount: Amount | None
    result_id: Annotated[str | None, Field(examples=["sub_1MowQVLkdIwHu7ixeRlqHVzs"])]
    result_status: Annotated[str | None, Field(examples=["active"])]
    attempts: Annotated[int, Field(examples=[1])]
    created_at: Moment
    next_attempt_at: Moment | None
    finished_at: Moment | None


class AuditRecord(StrictModel):
    """Who did what to what, when, from where, and what came of it (PCI DSS 10.2.2)."""

    sequence: Annotated[int, Field(examples=[42])]
    recorded_at: Moment
    event: Action
    actor: Annotated[str, Field(examples=["stripe"])]
    result: Result
    reason: Annotated[str | None, Field(examples=["active"])]
    origin: Annotated[str, Field(examples=["192.0.2.1"])]
    object_id: Annotated[str | None, Field(examples=["sub_1MowQVLkdIwHu7ixeRlqHVzs"])]
    reference: Annotated[str | None, Field(examples=["op_qhzmvkqpwtrcxbnsdflg"])]
    quantity: int | None


Item = TypeVar("Item", bound=StrictModel)


class Page(StrictModel, Generic[Item]):
    """Some of a list, and whether more follow: ask for those after the last of these."""

    data: list[Item]
    has_more: bool
