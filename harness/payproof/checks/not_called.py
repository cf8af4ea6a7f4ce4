from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.access_decisions import find_callers, finding_of_access
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_call
from payproof.registry import check

__all__ = ["NotCalled"]

_READING = frozenset({"GET", "HEAD"})


@check
@dataclass(frozen=True, slots=True)
class NotCalled(Check):
    """What was refused has changed nothing at Stripe: the last step caused no call but such as only read.

    A target may ask Stripe whose an object is before it refuses.
    """

    name: ClassVar[str] = "not_called"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each such call, at the request during which it came."""
        last = max((one.step for one in seen.observations), default=0)
        calls = [
            call
            for one in seen.observations
            if isinstance(one, StripeCalls) and one.step == last
            for call in one.calls
            if call.method not in _READING
        ]
        if not calls:
            return
        culprits = iter(find_callers(seen, last))
        for call in calls:
            told, culprit = f"{call.method} {call.path}", next(culprits, None)
            if culprit is None:
                spot = spot_of_call(told)
                yield Finding(self.name, "no call to Stripe", told, last, kind=Kind.ACCESS_GRANTED, spot=spot)
            else:
                yield finding_of_access(self.name, "no call to Stripe", told, culprit, Kind.ACCESS_GRANTED)
