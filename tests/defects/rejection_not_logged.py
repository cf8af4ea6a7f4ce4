"""A refused delivery leaves no record."""

from reference_impl.middleware.errors import problem
from reference_impl.routes import stripe


def plant() -> None:
    stripe.reject = lambda _, cause: problem(stripe.STATUSES[cause])
