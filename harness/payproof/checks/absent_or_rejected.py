from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.answer_shape import shape_of
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import ABSENT, Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["AbsentOrRejected"]


@check
@dataclass(frozen=True, slots=True)
class AbsentOrRejected(Check):
    """Each answer says that there is no such route, or rejects the delivery as the webhook route does.

    Of a redirect that was followed, the answer there counts. Where a target gives one and the same answer at a place
    that no route has, such as its start page, that says that there is no such route, if a look into a store shows that
    nothing came of it.
    """

    name: ClassVar[str] = "absent_or_rejected"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other answer."""
        for exchange, answer, baseline in _odd(seen):
            if not _alike(seen, answer, baseline):
                expected = "no such route (404, 405, 410) or a rejection"
                told = f"status {answer.status} at {exchange.sent.url}"
                if baseline is not None:
                    told += ", and another answer at a place that no route has"
                yield Finding(self.name, expected, told, exchange.step)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of an answer that says nothing, as all places have it, where no store says more."""
        steps = {change.step for change in seen.changes}
        for exchange, answer, baseline in _odd(seen):
            if _alike(seen, answer, baseline) and exchange.step not in steps:
                yield f"every place is answered {answer.status}, and no store shows whether that applies deliveries"


def _odd(seen: Seen) -> Iterator[tuple[Exchange, Answer, Answer | None]]:
    """Yield each answer that neither says absent nor rejects, with that of a place that no route has."""
    statuses = ABSENT | seen.contract.rejected
    exchanges = seen.exchanges
    for exchange, after in zip(exchanges, (*exchanges[1:], None), strict=True):
        role = "" if after is None else after.sent.role
        answer = exchange.answer
        if exchange.sent.role == "nowhere" or role == "moved" or not isinstance(answer, Answer):
            continue
        if answer.status not in statuses:
            there = after.answer if after is not None and role == "nowhere" else None
            yield exchange, answer, there if isinstance(there, Answer) else None


def _alike(seen: Seen, answer: Answer, baseline: Answer | None) -> bool:
    reference = seen.contract.operations.reference
    return baseline is not None and shape_of(answer, reference) == shape_of(baseline, reference)
