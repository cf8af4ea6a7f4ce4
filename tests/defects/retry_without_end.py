"""A call is repeated dozens of times without a wait, which makes an outage worse."""

from dataclasses import replace

from reference_impl.services.stripe import connection
from reference_impl.services.stripe.breaker import Breaker


def plant() -> None:
    connection.WRITES = replace(connection.WRITES, attempts=40, base_seconds=0.0)
    Breaker.admit = lambda _self: True
