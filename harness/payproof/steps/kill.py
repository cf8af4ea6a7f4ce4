import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange, InstanceKilled, KillMoment, Observation
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request, signed_request
from payproof.stripe.retries import MOST_RETRIES, RETRY_SECONDS, Retries

__all__ = ["Kill"]

_LONGEST, _SHORTEST = 1.0, 0.002  # seconds after which a kill comes at most and at least
_KILL_SECONDS = 5.0  # that a kill and the start after it may take


@step
@dataclass(frozen=True, slots=True)
class Kill(Step):
    """Deliver events to the second instance of the target, kill it meanwhile, start it again; some times.

    The process gets no chance to do anything more (SIGKILL). Each of the ``kills`` comes ``after`` the ``events`` were
    "sent", at a random moment within the time that the slowest delivery before it took, the first of which nothing
    disturbs; or as soon as a store shows that something of them is "stored", or the first is "answered". What was not
    accepted is delivered again as Stripe does: the same event, signed anew, after waits that grow, on a clock that runs
    faster. A later kill may cut that off too.
    """

    name: ClassVar[str] = "kill"
    events: int = 8
    kills: int = 3
    after: KillMoment = "sent"

    def __post_init__(self) -> None:
        """Refuse numbers that kill nothing, as soon as a scenario file is read."""
        if self.events < 1 or self.kills < 1:
            raise ValueError("events and kills are 1 or more")

    @property
    def requests(self) -> int:
        """Each event as often as Stripe delivers it at most, and one before them."""
        return (1 + MOST_RETRIES) * self.events * self.kills + 1

    @property
    def seconds(self) -> float:
        """What it takes to start the instance so often, and what Stripe waits in all."""
        return _KILL_SECONDS * self.kills + RETRY_SECONDS

    async def run(self, context: Context) -> Sequence[Observation]:
        """Deliver, kill, start, deliver again."""
        undisturbed = await context.at_instance().send(self._make(context))
        seen: list[Observation] = [undisturbed]
        retries, clock = Retries(), context.clock
        slowest = undisturbed.answer.seconds if isinstance(undisturbed.answer, Answer) else _LONGEST
        for _ in range(self.kills):
            again = [resigned_request(context, one) for one in retries.take_due(clock.monotonic())]
            requests = [*(self._make(context) for _ in range(self.events)), *again]
            moment = context.random.uniform(_SHORTEST, max(_SHORTEST, slowest)) if self.after == "sent" else 0.0
            exchanges = await self._deliver_and_kill(context, requests, moment)
            took = [one.answer.seconds for one in exchanges if isinstance(one.answer, Answer)]
            # Where all were cut off, the next kill may come later; where none was, sooner.
            slowest = min(_LONGEST, max(took) if took else 2 * slowest)
            cut_off = len(exchanges) - len(took)
            step = exchanges[0].step
            seen.append(InstanceKilled(step, len(exchanges), cut_off, moment, self.after))
            seen += [one for one in exchanges if isinstance(one.answer, Answer)]
            seen += await context.instance.start("", "", None)
            retries.note(requests, exchanges, clock.monotonic())
        while (wait := retries.find_wait(clock.monotonic())) is not None:
            await clock.sleep(wait)
            for due in retries.take_due(clock.monotonic()):
                exchange = await context.at_instance().send(resigned_request(context, due))
                retries.note([due], [exchange], clock.monotonic())
                seen.append(exchange)
        return seen

    async def _deliver_and_kill(
        self, context: Context, requests: Sequence[Request], moment: float
    ) -> Sequence[Exchange]:
        """Send requests together and kill the instance some seconds later, or as soon as it is time."""
        there = context.at_instance()
        answered = [await there.send(requests[0])] if self.after == "answered" else []
        if self.after == "stored":
            await context.stores.note()
        others = asyncio.create_task(there.send_together(requests[len(answered) :]))
        if self.after == "stored":
            await context.stores.wait_for_change(_LONGEST)
        else:
            await context.clock.sleep(moment)
        await context.instance.kill()
        return [*answered, *await others]

    def _make(self, context: Context) -> Request:
        event = context.events.make_control()
        return signed_request(context, event, event.encode(), note=f"{event.type}, killed meanwhile")
