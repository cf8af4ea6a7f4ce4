from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Answer, Channel
from harness.registry import check

__all__ = ["Uniform"]

_VARIES = frozenset(
    {"age", "cf-ray", "date", "server-timing", "traceparent", "via", "x-correlation-id", "x-request-id"}
)
# Of the connection, not of the answer: they depend on how the request asked for it.
_OF_CONNECTION = frozenset({"connection", "keep-alive"})


@check
@dataclass(frozen=True, slots=True)
class Uniform:
    """All answers are one answer: the same status, body and headers, so that they tell no cause from another.

    Header values that differ in every answer of any server (Date, request ids) are left out; their presence is not.
    """

    name: ClassVar[str] = "uniform"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    patient: ClassVar[bool] = False

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that differs from the commonest one, and in what."""
        answers = [(e, _shape(e.answer)) for e in seen.exchanges if isinstance(e.answer, Answer)]
        if not answers:
            return
        common = Counter(shape for _, shape in answers).most_common(1)[0][0]
        for exchange, shape in answers:
            if shape != common:
                parts = zip(("status", "body", "headers"), shape, common, strict=True)
                differs = [f"{part} {mine!r} instead of {theirs!r}" for part, mine, theirs in parts if mine != theirs]
                yield Finding(self.name, "the same answer to every cause", "; ".join(differs), exchange.step)

    def note(self, seen: Seen) -> str:
        """Tell the spread of answer times; one sample of each cause is information, not proof."""
        times = sorted(e.answer.seconds * 1000 for e in seen.exchanges if isinstance(e.answer, Answer))
        return f"answer times {times[0]:.1f} to {times[-1]:.1f} ms, median {median(times):.1f} ms" if times else ""


def _shape(answer: Answer) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    headers = tuple(
        sorted((name, "" if name in _VARIES else value) for name, value in answer.headers if name not in _OF_CONNECTION)
    )
    return answer.status, answer.body, headers
