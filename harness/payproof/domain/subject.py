"""The subject of a run's events: a test customer whom the target knows, as real targets ignore everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The customer, subscription, price, product, account and texts by which the target finds whom an event is about.

    ``metadata`` goes into every object that has some, and ``reference`` is the ``client_reference_id`` of a checkout.
    ``find`` is a column (``users.stripe_customer_id``) whose first Stripe customer is taken, ``make`` an operation that
    makes the customer.
    """

    customer: str = ""
    subscription: str = ""
    price: str = ""
    product: str = ""
    account: str = ""
    email: str = ""
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    find: str = ""
    make: str = ""

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of Stripe's by their prefix, as event templates name them."""
        known = {
            "acct": self.account,
            "cus": self.customer,
            "price": self.price,
            "prod": self.product,
            "sub": self.subscription,
        }
        return {prefix: id_ for prefix, id_ in known.items() if id_}
