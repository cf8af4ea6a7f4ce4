from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.json_path import text_at
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
from payproof.registry import check

__all__ = ["ReferenceLogged"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class ReferenceLogged(Check):
    """Each refusal of an operation names a reference that the log holds, which leads to what the caller is not told.

    The target file's ``[contract.operations] reference`` is its place in the answer.
    """

    name: ClassVar[str] = "reference_logged"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.LOG})
    patient: ClassVar[bool] = True
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each refusal without a reference, and for each reference that no log line holds."""
        place = seen.contract.operations.reference
        logged = "\n".join(line for lines in seen.lines for line in lines.lines)
        for exchange in seen.operations:
            answer = exchange.answer
            if place is None or not isinstance(answer, Answer) or answer.status in _SUCCESS:
                continue
            reference = text_at(answer.body, place)
            if not reference:
                expected, told = f"a reference at {place}", "none"
            elif reference not in logged:
                expected, told = "the reference in a log line", "it is in none"
            else:
                continue
            spot = spot_of_answer(exchange)
            yield Finding(self.name, expected, told, exchange.step, kind=Kind.REFERENCE_MISSING, spot=spot)
