"""A refused delivery leaves no record."""

from payproof_reference.middleware.errors import build_problem
from payproof_reference.routes import stripe


def plant() -> None:
    stripe.reject = lambda _, cause: build_problem(stripe.STATUSES[cause])
