from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from statistics import quantiles
from typing import ClassVar

from payproof.domain.answer_shape import AnswerShape, shape_of
from payproof.domain.check import Check
from payproof.domain.decisions import SERVER_ERRORS
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer, spot_of_route
from payproof.registry import check

__all__ = ["Uniform"]

_ENOUGH = 20  # answers to one cause, before its times say something
_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class Uniform(Check):
    """All refusals are one answer: the same status, body and headers, so that they tell no cause from another.

    Whether a delivery should have been refused at all is for ``rejected`` to say.
    What differs in every answer of any server (dates, request ids, also in bodies) is left out; its presence is not.
    With ``statuses`` only refusals of one of these are compared, and only with those of the same route and status.
    """

    name: ClassVar[str] = "uniform"
    statuses: tuple[int, ...] = ()
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that differs from the commonest one, and in what."""
        groups: dict[tuple[object, ...], list[tuple[Exchange, AnswerShape]]] = defaultdict(list)
        for exchange in seen.exchanges:
            answer = exchange.answer
            if isinstance(answer, Answer) and answer.status not in _SUCCESS and self._compares(answer):
                key = (exchange.sent.method, exchange.sent.variant, answer.status) if self.statuses else ()
                groups[key].append((exchange, shape_of(answer, seen.contract.operations.reference)))
        for answers in groups.values():
            yield from self._different(answers)

    def _compares(self, answer: Answer) -> bool:
        return not self.statuses or answer.status in self.statuses

    def _different(self, answers: list[tuple[Exchange, AnswerShape]]) -> Iterator[Finding]:
        common = Counter(shape for _, shape in answers).most_common(1)[0][0]
        for exchange, shape in answers:
            if shape != common:
                parts = [*zip(("status", "body", "headers"), shape, common, strict=True)]
                differs = [f"{part} {mine!r} instead of {theirs!r}" for part, mine, theirs in parts if mine != theirs]
                # A failure is mended as one, and has no words for a cause to be taken out of.
                failed = differs[0].startswith("status 5")
                yield Finding(
                    self.name,
                    "the same answer to every cause",
                    "; ".join(differs),
                    exchange.step,
                    evidence=exchange.example,
                    what=f"another {' and '.join(part for part, mine, theirs in parts if mine != theirs)}",
                    kind=Kind.SERVER_ERROR if failed else Kind.CAUSE_TOLD,
                    spot=spot_of_answer(exchange) if failed else spot_of_route(exchange),
                    of_check=SERVER_ERRORS if failed else "",
                )

    def note(self, seen: Seen) -> str:
        """Tell which causes the answer times tell apart: information only, as noise hides small classes."""
        if self.statuses:
            return ""  # the times of other routes differ by themselves
        times: dict[str, list[float]] = defaultdict(list)
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                times[exchange.sent.variant].append(exchange.answer.seconds * 1000)
        quartiles = {variant: quantiles(ms, n=4) for variant, ms in times.items() if len(ms) >= _ENOUGH}
        medians = ", ".join(f"{variant} {middle:.2f}" for variant, (_, middle, _) in quartiles.items())
        apart = [
            f"{one} and {other}"
            for (one, (low, _, high)), (other, (other_low, _, other_high)) in combinations(quartiles.items(), 2)
            if high < other_low or other_high < low
        ]
        told = "told apart by time: " + "; ".join(apart) if apart else "no cause is told apart by time"
        return f"median answer times in ms: {medians}; {told}" if quartiles else ""
