"""The base of request bodies: known fields only, of exactly their type."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Amount",
    "AnyId",
    "CheckoutSessionId",
    "CustomerId",
    "OperationId",
    "PaymentIntentId",
    "PriceId",
    "StrictModel",
    "SubscriptionId",
]

# Ids as plain texts; what Stripe sends may be an object in the place of each, what a caller sends may not. No card
# number, name or path has one of these shapes.
CustomerId = Annotated[str, Field(pattern=r"^cus_[A-Za-z0-9_]{1,250}$", examples=["cus_NffrFeUfNV2Hib"])]
SubscriptionId = Annotated[str, Field(pattern=r"^sub_[A-Za-z0-9_]{1,250}$", examples=["sub_1MowQVLkdIwHu7ixeRlqHVzs"])]
PaymentIntentId = Annotated[str, Field(pattern=r"^pi_[A-Za-z0-9_]{1,250}$", examples=["pi_3MtwBwLkdIwHu7ix28a3tqPa"])]
PriceId = Annotated[
    str, Field(pattern=r"^(price|plan)_[A-Za-z0-9_]{1,250}$", examples=["price_1MoBy5LkdIwHu7ixZhnattbh"])
]
CheckoutSessionId = Annotated[str, Field(pattern=r"^cs_[A-Za-z0-9_]{1,250}$", examples=["cs_test_a1YS1URlnyQCN5fUU"])]
OperationId = Annotated[str, Field(pattern=r"^op_[a-z]{1,37}$", examples=["op_qhzmvkqpwtrcxbnsdflg"])]
AnyId = Annotated[str, Field(pattern=r"^[a-z]{1,10}_[A-Za-z0-9_]{1,244}$", examples=["sub_1MowQVLkdIwHu7ixeRlqHVzs"])]
# In the currency's smallest unit, and with fewer digits than the shortest card number.
Amount = Annotated[int, Field(gt=0, lt=10**12, examples=[500])]


class StrictModel(BaseModel):
    """The base of every body: nothing is converted, nothing unknown is taken, and errors hide what was sent.

    An unknown field is refused and not dropped, so that nobody believes that a `tenant_id` or a `status` of theirs was
    heeded (CWE-915). A choice is written as a `Literal`: FastAPI parses JSON before it validates, and strict mode would
    then take for an enum only an object of Python's.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
