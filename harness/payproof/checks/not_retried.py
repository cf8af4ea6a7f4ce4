from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_operations
from payproof.registry import check

__all__ = ["NotRetried"]


@check
@dataclass(frozen=True, slots=True)
class NotRetried(Check):
    """Each operation made its call once: what Stripe has refused stays refused, and a card is not tried again.

    What the target has answered that it will do later (``pending``) it may ask for again after that answer, under the
    same Idempotency-Key: how soon it does is its own affair.
    """

    name: ClassVar[str] = "not_retried"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when there were more calls than operations."""
        promised = _count_calls_before_promise(seen)
        own = [call for call in seen.calls if call.number < promised.get(call.idempotency_key, call.number + 1)]
        asked, arrived = len(seen.operations), len(own)
        if arrived > asked:
            spot = spot_of_operations(seen)
            yield Finding(self.name, f"{asked} calls", f"{arrived}", kind=Kind.RETRY_OF_DECLINE, spot=spot)


def _count_calls_before_promise(seen: Seen) -> dict[str | None, int]:
    """Return, by each Idempotency-Key under which the target will do what it promised, the number of calls by then."""
    promised: dict[str | None, int] = {}
    for operation in seen.operations:
        answer = operation.answer
        if isinstance(answer, Answer) and answer.status in seen.contract.operations.pending:
            made = (call for call in seen.calls if call.idempotency_key and call.number < operation.called)
            for call in made:
                promised.setdefault(call.idempotency_key, operation.called)
    return promised
