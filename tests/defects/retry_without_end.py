"""A call is repeated dozens of times without a wait, which makes an outage worse."""

from dataclasses import replace

from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.retry import WRITES, Policies


def plant() -> None:
    endless = Policies(writes=replace(WRITES, attempts=40, base_seconds=0.0))
    Policies.within = lambda *_seconds: endless
    Breaker.admit = lambda _self: True
