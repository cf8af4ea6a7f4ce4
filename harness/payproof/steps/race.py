from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request, signed_request

__all__ = ["Race"]

_FEWEST = 2


@step
@dataclass(frozen=True, slots=True)
class Race(Step):
    """Deliver copies of one event at the same time, each on a connection of its own.

    Each connection is open and has got all of its request but the last byte, before the first is let go. There are as
    many ``copies`` in each of some ``rounds``, of which each is about another event. With ``instance`` every second
    copy goes to the second instance of the target. Where it has refused all, one comes once more, as from Stripe.
    """

    name: ClassVar[str] = "race"
    copies: int = 20
    rounds: int = 1
    instance: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that make no race, as soon as a scenario file is read."""
        if self.copies < _FEWEST or self.rounds < 1:
            raise ValueError("a race has two copies or more, and one round or more")

    @property
    def requests(self) -> int:
        """Each copy."""
        return self.copies * self.rounds

    @property
    def seconds(self) -> float:
        """A second for each round."""
        return float(self.rounds)

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make an event for each round, and send all its copies at once."""
        exchanges: list[Exchange] = []
        for _ in range(self.rounds):
            event = context.events.make_control()
            request = signed_request(context, event, event.encode(), note=f"{event.type}, {self.copies} copies at once")
            copies = await context.send_together([request] * self.copies, with_instance=self.instance)
            exchanges += copies
            if not any(one.is_accepted for one in copies):
                exchanges.append(await context.send(resigned_request(context, request)))
        return exchanges
