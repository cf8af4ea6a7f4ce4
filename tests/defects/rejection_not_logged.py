"""A refused delivery leaves no record."""

from payproof_reference.middleware.errors import problem
from payproof_reference.routes import stripe


def plant() -> None:
    stripe.reject = lambda _, cause: problem(stripe.STATUSES[cause])
