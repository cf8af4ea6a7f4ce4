from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["RefusedUnsafe"]


@check
@dataclass(frozen=True, slots=True)
class RefusedUnsafe(Check):
    """The target tried each unsafe connection to Stripe and sent nothing on it (PCI DSS 4.2.1).

    Unsafe is a certificate that does not vouch for Stripe, or a version of TLS that is too old. That it was tried shows
    that the target would have called. Whether the handshake came about says nothing: some clients look at the
    certificate only then, and hang up.
    """

    name: ClassVar[str] = "refused_unsafe"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each fault that no connection met, and for each call on such a connection."""
        observed = [one for one in seen.observations if isinstance(one, StripeCalls)]
        for exchange in seen.operations:
            fault = exchange.sent.variant
            tried = (connection for one in observed if one.step == exchange.step for connection in one.connections)
            if not any(connection.fault == fault for connection in tried):
                expected, spot = f"a connection that is {fault}", spot_of_operations(seen)
                kind = Kind.CONNECTION_UNTRIED
                yield Finding(self.name, expected, "none was tried", exchange.step, kind=kind, spot=spot)
        for one in observed:
            for call in one.calls:
                if call.connection:
                    key = "without an API key" if call.key == "none" else "with an API key"
                    told = f"{call.method} {call.path} on one that is {call.connection}, {key}"
                    expected, spot = "no call on an unsafe connection", Spot(Channel.STRIPE, call.connection)
                    yield Finding(self.name, expected, told, one.step, kind=Kind.CONNECTION_UNSAFE, spot=spot)
