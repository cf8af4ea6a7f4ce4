"""The upstream itself: the server that the target calls as Stripe, and the backends that answer behind it."""

from payproof.adapters.upstream.backends import DoubleBackend, HttpBackend, StripeTestMode
from payproof.adapters.upstream.call_log import Limits
from payproof.adapters.upstream.server import UpstreamServer
from payproof.adapters.upstream.stripe_mock import stripe_mock

__all__ = ["DoubleBackend", "HttpBackend", "Limits", "StripeTestMode", "UpstreamServer", "stripe_mock"]
