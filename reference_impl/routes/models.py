"""What bodies are held to: known fields only, of exactly their type."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Amount",
    "CustomerId",
    "InvoiceId",
    "PaymentIntentId",
    "PriceId",
    "StrictModel",
    "SubscriptionId",
]

# Ids as plain texts; what Stripe sends may be an object in the place of each, what a caller sends may not.
CustomerId = Annotated[str, Field(pattern=r"^cus_[A-Za-z0-9_]{1,250}$")]
SubscriptionId = Annotated[str, Field(pattern=r"^sub_[A-Za-z0-9_]{1,250}$")]
InvoiceId = Annotated[str, Field(pattern=r"^in_[A-Za-z0-9_]{1,250}$")]
PaymentIntentId = Annotated[str, Field(pattern=r"^pi_[A-Za-z0-9_]{1,250}$")]
PriceId = Annotated[str, Field(pattern=r"^(price|plan)_[A-Za-z0-9_]{1,250}$")]
# In the currency's smallest unit, and with fewer digits than the shortest card number.
Amount = Annotated[int, Field(gt=0, lt=10**12)]


class StrictModel(BaseModel):
    """The base of every body: nothing is converted, nothing unknown is taken, and errors hide what was sent.

    An unknown field is refused and not dropped, so that nobody believes that a `tenant_id` or a `status` of theirs was
    heeded (CWE-915). A choice is written as a `Literal`: FastAPI parses JSON before it validates, and strict mode would
    then take for an enum only an object of Python's.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
