"""The subject of a run's events: a test customer whom the target knows, as real targets ignore everybody else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["PREFIXES", "Subject"]

#: The prefix of Stripe's ids for each object that a subject may name.
PREFIXES: Mapping[str, str] = {
    "account": "acct",
    "charge": "ch",
    "customer": "cus",
    "invoice": "in",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "subscription": "sub",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The objects of Stripe's, and the texts by which the target finds whom or what an event is about.

    ``ids`` are Stripe's, by their prefix, as event templates name them. ``metadata`` goes into every object that has
    some, and ``reference`` is the ``client_reference_id`` of a checkout. ``find`` is a column
    (``users.stripe_customer_id``) whose first Stripe customer is taken, ``make`` an operation that makes the customer.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    find: str = ""
    make: str = ""

    def with_ids(self, ids: Iterable[str]) -> "Subject":
        """Return the subject with further ids, where they are of objects that it may name."""
        known = {one.partition("_")[0]: one for one in ids if not one.startswith("sub_sched_")}
        more = {prefix: id_ for prefix, id_ in known.items() if prefix in PREFIXES.values()}
        return replace(self, ids={**self.ids, **more})
