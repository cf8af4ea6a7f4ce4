from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_call
from payproof.registry import check

__all__ = ["Called"]


@check
@dataclass(frozen=True, slots=True)
class Called(Check):
    """Every operation made the call to Stripe that the target file says it causes, and that call met the fault.

    Without this, what an operation came to would say nothing of how the target takes the fault.
    """

    name: ClassVar[str] = "called"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step with fewer such calls than operations, for each fault."""
        for step in sorted({exchange.step for exchange in seen.operations}):
            mine = seen.at(step)
            asked = Counter((exchange.sent.calls, exchange.sent.variant) for exchange in mine.operations)
            for (calls, fault), times in asked.items():
                arrived = sum(call.is_one_of(calls) and call.fault == fault for call in mine.calls)
                if arrived < times:
                    met = f" that met {fault}" if fault else ""
                    expected, spot = f"{times} x {calls}{met}", spot_of_call(calls)
                    yield Finding(self.name, expected, f"{arrived}", step, kind=Kind.CALL_MISSING, spot=spot)
