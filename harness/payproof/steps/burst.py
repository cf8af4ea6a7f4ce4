from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Answer, BurstSeen, Exchange, Observation, find_percentile
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.registry import step
from payproof.steps.deliver_each import list_mixed_types, make_delivery
from payproof.stripe.deliveries import resigned_request

__all__ = ["Burst"]

_ROUNDS = 3  # in which what was not accepted comes again
_MOST_SHOWN = 20
_AT_A_TIME, _LONGEST = 100, 30.0  # events that are made and delivered together, and seconds for all of them


@step
@dataclass(frozen=True, slots=True)
class Burst(Step):
    """Deliver many events as fast as the target answers, of mixed types, out of order, some of them twice.

    There are about so many ``events``, equally many of each type, over some ``connections``, and fewer where they take
    longer than half a minute. One in ``twice`` is delivered a second time meanwhile. What is not accepted is delivered
    again afterwards, as Stripe does. Of what came back only the first refusals are shown; the rest is counted.
    """

    name: ClassVar[str] = "burst"
    events: int = 1000
    connections: int = 32
    twice: int = 10

    def __post_init__(self) -> None:
        """Refuse numbers that make no burst, as soon as a scenario file is read."""
        if min(self.events, self.connections, self.twice) < 1:
            raise ValueError("events, connections and twice are 1 or more")

    @property
    def requests(self) -> int:
        """Each event some times."""
        return (1 + _ROUNDS) * (self.events + _AT_A_TIME) + self.events // self.twice + _AT_A_TIME

    @property
    def seconds(self) -> float:
        """What a target takes at most, and as much for what comes again."""
        return 3 * _LONGEST

    async def run(self, context: Context) -> Sequence[Observation]:
        """Make events and deliver them, some at a time, and again what was refused."""
        types = list_mixed_types(context.target)
        made: list[Request] = []
        exchanges: list[Exchange] = []
        accepted: set[str] = set()
        until = context.clock.monotonic() + _LONGEST
        seconds = 0.0
        while len(made) < self.events and context.clock.monotonic() < until:
            some = [make_delivery(context, type_) for type_ in types for _ in range(ceil(_AT_A_TIME / len(types)))]
            deliveries = [*some, *some[:: self.twice]]
            context.random.shuffle(deliveries)
            started = context.clock.monotonic()
            answered = await context.send_many(deliveries, self.connections)
            seconds += context.clock.monotonic() - started
            accepted |= _list_accepted(deliveries, answered)
            exchanges += answered
            made += some
        for _ in range(_ROUNDS):
            if not (left := [resigned_request(context, one) for one in made if one.ids[0] not in accepted]):
                break
            accepted |= _list_accepted(left, await context.send_many(left, self.connections))
        took = sorted(one.answer.seconds for one in exchanges if isinstance(one.answer, Answer))
        refusals = [one for one in exchanges if not one.is_accepted]
        burst = BurstSeen(
            exchanges[0].step,
            self.connections,
            len(made),
            len(types),
            len(accepted),
            len(exchanges),
            seconds,
            (find_percentile(took, 50), find_percentile(took, 95), find_percentile(took, 99)),
            tuple(sorted(Counter(map(_describe, refusals)).items())),
        )
        # What got no answer came again, as all that was refused: it is counted, and keeps nothing from being judged.
        return [burst, *[one for one in refusals if isinstance(one.answer, Answer)][:_MOST_SHOWN]]


def _list_accepted(requests: Sequence[Request], exchanges: Sequence[Exchange]) -> set[str]:
    """Return the ids of the events that were accepted."""
    return {request.ids[0] for request, one in zip(requests, exchanges, strict=True) if one.is_accepted}


def _describe(exchange: Exchange) -> str:
    answer = exchange.answer
    return str(answer.status) if isinstance(answer, Answer) else answer.reason.value
