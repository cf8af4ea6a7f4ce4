from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["NoRedirectFollowed"]


@check
@dataclass(frozen=True, slots=True)
class NoRedirectFollowed(Check):
    """No call followed a redirect to another host, which would take the API key along."""

    name: ClassVar[str] = "no_redirect_followed"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each call that arrived elsewhere."""
        for observation in seen.observations:
            if isinstance(observation, StripeCalls):
                for call in observation.calls:
                    if call.elsewhere:
                        told = (
                            f"{call.method} {call.path} there, {'with' if call.key != 'none' else 'without'} an API key"
                        )
                        yield Finding(
                            self.name,
                            "no call to another host",
                            told,
                            observation.step,
                            kind=Kind.REDIRECT_FOLLOWED,
                            spot=spot_of_operations(seen),
                        )
