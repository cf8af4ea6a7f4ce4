"""The upstream itself: the server that the target calls as Stripe, and the backends that answer behind it."""

from harness.adapters.upstream.backends import DoubleBackend, HttpBackend, StripeTestMode
from harness.adapters.upstream.notes import Limits
from harness.adapters.upstream.server import Upstream
from harness.adapters.upstream.stripe_mock import stripe_mock

__all__ = ["DoubleBackend", "HttpBackend", "Limits", "StripeTestMode", "Upstream", "stripe_mock"]
