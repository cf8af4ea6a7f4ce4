"""The built-in double of Stripe's API."""

from payproof.stripe.double.calls import OPERATIONS
from payproof.stripe.double.double import Double, Started, find_route
from payproof.stripe.double.operations import LOADED

__all__ = ["LOADED", "OPERATIONS", "Double", "Started", "find_route"]
