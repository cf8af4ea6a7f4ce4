from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["NoCallElsewhere"]


@check
@dataclass(frozen=True, slots=True)
class NoCallElsewhere(Check):
    """No call went to a host that an event names, which would get the API key, or answer in Stripe's place."""

    name: ClassVar[str] = "no_call_elsewhere"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each call that arrived there."""
        for observation in seen.observations:
            for call in observation.calls if isinstance(observation, StripeCalls) else ():
                if call.elsewhere:
                    told = f"{call.method} {call.path} there, {'with' if call.key != 'none' else 'without'} an API key"
                    spot = spot_of_route(seen.exchanges[0])
                    expected = "no call to the host that the event names"
                    yield Finding(self.name, expected, told, observation.step, kind=Kind.CALL_ELSEWHERE, spot=spot)
