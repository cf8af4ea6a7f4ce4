from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["RetriedWithOneKey"]

_LEAST = 2


@check
@dataclass(frozen=True, slots=True)
class RetriedWithOneKey(Check):
    """The operation's call was made again after the fault, with the same parameters under one Idempotency-Key.

    Only that makes it safe: of a call without an answer nobody knows whether Stripe has done the work.
    """

    name: ClassVar[str] = "retried_with_one_key"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for a call that was not repeated, and for each way in which the repetitions differ."""
        calls, spot, kind = seen.calls, spot_of_operations(seen), Kind.KEY_MISSING
        if len(calls) < _LEAST:
            expected, told = "the call again after the fault", f"{len(calls)} calls"
            yield Finding(self.name, expected, told, kind=Kind.RETRY_MISSING, spot=spot)
            return
        writes = [call for call in calls if call.method == "POST"]
        bare = sum(not call.idempotency_key for call in writes)
        if bare:
            expected, told = "an Idempotency-Key on each call", f"none on {bare} of {len(writes)}"
            yield Finding(self.name, expected, told, kind=kind, spot=spot)
        keys = {call.idempotency_key for call in writes if call.idempotency_key}
        if len(keys) > 1:
            expected, told = "one Idempotency-Key on all calls", f"{len(keys)} on {len(writes)} calls"
            yield Finding(self.name, expected, told, kind=kind, spot=spot)
        digests = {call.digest for call in calls}
        if len(digests) > 1:
            expected, told = "the same parameters in all calls", f"{len(digests)} on {len(calls)} calls"
            yield Finding(self.name, expected, told, kind=kind, spot=spot)
