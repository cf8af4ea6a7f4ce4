from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.answer_shape import shape_of
from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_forgery
from payproof.domain.finding import Finding
from payproof.domain.observation import ABSENT, Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["AbsentOrRejected"]

_SUCCESS = range(200, 300)
_FAILURE = 500


@check
@dataclass(frozen=True, slots=True)
class AbsentOrRejected(Check):
    """Each place says that there is no such route, or rejects the delivery as the webhook route does.

    A page, a redirect or any other answer without a failure says neither. Then the stores decide: where nothing has
    changed, nothing was taken. Without a store only an answer like that to a genuine delivery is a finding; what all
    places answer, such as a start page, is none.
    """

    name: ClassVar[str] = "absent_or_rejected"
    wants: ClassVar[tuple[str, ...]] = ("[[stores]]",)
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each place that has failed or has taken the delivery."""
        changes = _find_changes(seen)
        for exchange, answer, baseline in _odd(seen):
            told = f"status {answer.status} at {exchange.sent.url}"
            if exchange.step in changes:
                if not changes[exchange.step] and answer.status < _FAILURE:
                    continue
                told = ", ".join([told, *changes[exchange.step]])
            elif not _is_accepted(seen, answer) and answer.status < _FAILURE:
                continue
            if not _alike(seen, answer, baseline) or changes.get(exchange.step):
                expected = "no such route (404, 405, 410) or a rejection"
                yield finding_of_forgery(self.name, expected, told, exchange)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of an answer that says nothing, where no store says more."""
        changes = _find_changes(seen)
        for exchange, answer, baseline in _odd(seen):
            if exchange.step not in changes and answer.status < _FAILURE and not _is_accepted(seen, answer):
                everywhere = "every place is" if _alike(seen, answer, baseline) else f"{exchange.sent.url} is"
                yield f"{everywhere} answered {answer.status}, and no store shows whether that applies deliveries"


def _find_changes(seen: Seen) -> dict[int, list[str]]:
    """Return what has changed in each step after which a store was looked at."""
    changes: dict[int, list[str]] = {}
    for change in seen.changes:
        told = [table.describe(change.source) for table in change.tables if not table.rejection_log]
        changes.setdefault(change.step, []).extend(told)
    return changes


def _is_accepted(seen: Seen, answer: Answer) -> bool:
    """Whether an answer looks as the one that a genuine delivery got."""
    reference = seen.contract.operations.reference
    genuine = (one.answer for one in seen.control if isinstance(one, Exchange) and isinstance(one.answer, Answer))
    return answer.status in _SUCCESS and any(shape_of(answer, reference) == shape_of(one, reference) for one in genuine)


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
