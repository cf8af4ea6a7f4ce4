from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
from payproof.registry import check

__all__ = ["NoEcho"]


@check
@dataclass(frozen=True, slots=True)
class NoEcho(Check):
    """No error says back a text of the request that caused it; for requests that are made up and hold such a text."""

    name: ClassVar[str] = "no_echo"
    rule: ClassVar[str] = "error_handling/fuzz_routes"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each place of an error in which such a text stands."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                for place in exchange.answer.echoes:
                    what = f"in the {place} of an answer with status {exchange.answer.status}"
                    yield Finding(
                        self.name,
                        "no text of the request",
                        what,
                        exchange.step,
                        evidence=exchange.example,
                        kind=Kind.ECHO,
                        spot=spot_of_answer(exchange),
                    )

    def note(self, seen: Seen) -> str:
        """Tell how much was sent, and how it was answered."""
        answers = [(one.sent.variant, one.answer) for one in seen.exchanges if one.sent.example]
        statuses = Counter(answer.status // 100 for _, answer in answers if isinstance(answer, Answer))
        told = ", ".join(f"{number} times {kind}xx" for kind, number in sorted(statuses.items()))
        routes = len({variant for variant, _ in answers})
        return f"{len(answers)} requests made up over {routes} routes, answered {told}" if answers else ""
