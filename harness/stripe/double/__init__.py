"""The built-in double of Stripe's API."""

from harness.stripe.double.calls import OPERATIONS
from harness.stripe.double.double import Double, Started, routed
from harness.stripe.double.operations import LOADED

__all__ = ["LOADED", "OPERATIONS", "Double", "Started", "routed"]
