import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import ClassVar

from payproof.domain.access_decisions import is_done
from payproof.domain.answer_shape import AnswerShape, shape_of
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["SameAnswer"]

_FAILURE = 500
_LENGTHS = frozenset({"content-length"})
#: What differs as the ids do that were asked for: words with digits in them, and ids that have none.
_ID = re.compile(r"[A-Za-z0-9_.-]*\d[A-Za-z0-9_.-]*|\b[a-z]{2,5}_[A-Za-z0-9]{8,}")


@check
@dataclass(frozen=True, slots=True)
class SameAnswer(Check):
    """What is another tenant's is answered as what is not there: the same status, headers and body, ids left out.

    Whether either was refused is for ``refused`` to say. The times of the two are told, and not judged.
    """

    name: ClassVar[str] = "same_answer"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each pair that differs, and in what."""
        for foreign, missing in _pairs(seen):
            assert isinstance(foreign.answer, Answer)
            assert isinstance(missing.answer, Answer)
            if is_done(foreign.answer) or max(foreign.answer.status, missing.answer.status) >= _FAILURE:
                continue  # which is told otherwise
            mine, theirs = _shape(seen, foreign.answer), _shape(seen, missing.answer)
            if mine != theirs:
                parts = zip(("status", "body", "headers"), mine, theirs, strict=True)
                differs = "; ".join(f"{part} {one!r} and {other!r}" for part, one, other in parts if one != other)
                expected = "one answer for what is another tenant's and for what is not there"
                spot, kind = spot_of_route(foreign), Kind.EXISTENCE_TOLD
                yield Finding(self.name, expected, differs, foreign.step, kind=kind, spot=spot)

    def note(self, seen: Seen) -> str:
        """Tell how long both took; information only, as noise hides small differences."""
        pairs = list(_pairs(seen))
        if not pairs:
            return ""
        times = [
            median(one.answer.seconds for one in column if isinstance(one.answer, Answer)) * 1000
            for column in zip(*pairs, strict=True)
        ]
        return f"median answer times: {times[0]:.1f} ms for another tenant's, {times[1]:.1f} ms for what is not there"


def _pairs(seen: Seen) -> Iterator[tuple[Exchange, Exchange]]:
    """Yield each request for what is another tenant's with the next, which asks for what is not there."""
    for one, other in pairwise(seen.exchanges):
        asked = one.sent.asking is not None and one.sent.asking.promise == "foreign" and one.sent.role != "nowhere"
        answered = isinstance(one.answer, Answer) and isinstance(other.answer, Answer)
        if asked and answered and other.sent.role == "nowhere" and other.sent.asking is not None:
            yield one, other


def _shape(seen: Seen, answer: Answer) -> AnswerShape:
    status, body, headers = shape_of(answer, seen.contract.operations.reference)
    kept = tuple((name, _ID.sub("{}", value)) for name, value in headers if name not in _LENGTHS)
    return status, _ID.sub("{}", body), kept
