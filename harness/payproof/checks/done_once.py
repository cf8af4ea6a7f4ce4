from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.domain.stripe_call import StripeCall
from payproof.registry import check

__all__ = ["DoneOnce"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class DoneOnce(Check):
    """Stripe did once what the target said is done or will be, and at most once what it said failed.

    Several successes under one Idempotency-Key are one; each without a key is one of its own. With ``repeated`` all the
    requests ask for the same thing, again and again, so that it is to be done once in all.
    """

    name: ClassVar[str] = "done_once"
    repeated: bool = False
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.STRIPE})
    patient: ClassVar[bool] = True
    at_end: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when Stripe did less than was promised, or more than was asked for."""
        operations = seen.operations
        promised = sum(o.is_accepted for o in operations)
        most = 1 if self.repeated else len(operations)
        promised = min(promised, most)
        done = [call for call in seen.calls if call.backend_status is not None and call.backend_status in _SUCCESS]
        learnt = [call for call in done if call.status is not None and not call.spoiled]
        if (known := _distinct(learnt)) < promised:
            expected, told = f"{promised} done at Stripe, as the target promised", f"{known} that it could know of"
            yield Finding(self.name, expected, told, kind=Kind.PROMISE_BROKEN, spot=spot_of_operations(seen))
        if (made := _distinct(done)) > most:
            spot = spot_of_operations(seen)
            yield Finding(self.name, f"at most {most} done at Stripe", f"{made}", kind=Kind.DONE_TWICE, spot=spot)


def _distinct(calls: Iterable[StripeCall]) -> int:
    return len({call.idempotency_key or f"call {call.number}" for call in calls})
