import asyncio
import json
import shlex
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from payproof.domain.context import Context
from payproof.domain.life_model import Columns, LifeModel, read_columns
from payproof.domain.observation import Observation, OrdersExplored
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.deliver_life import SUBSCRIPTION_LIFE, LifeEvent, find_unhandled, make_life
from payproof.stripe.deliveries import resigned_request

__all__ = ["ExploreOrders"]

_LIVES = 2
_APART = 60  # seconds between two events of a life
_SHRINKING = 3  # times as many deliveries may go into making an order small as into finding it
_SECONDS_OF_DELIVERY = 0.5  # that one takes at most, with the look after it, on a machine that is not busy

_Any = TypeVar("_Any")


@step
@dataclass(frozen=True, slots=True)
class ExploreOrders(Step):
    """Deliver the events of two objects' lives in many orders, some of them twice, as a state machine chooses them.

    ``life`` are the types of each, oldest first. First two lives come in Stripe's order, and what rows say after each
    event is learnt. Then at most ``examples`` orders of ``deliveries`` each are tried. Whenever all events of an object
    up to one have come, its rows must say what that one tells, or what a later one does, as a target may ask Stripe.
    The smallest order that fails is told as commands.
    """

    name: ClassVar[str] = "explore_orders"
    packages: ClassVar[tuple[str, ...]] = ("hypothesis",)
    life: tuple[str, ...] = SUBSCRIPTION_LIFE
    examples: int = 10
    deliveries: int = 8

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of the lives' events."""
        return self.life

    @property
    def requests(self) -> int:
        """What is learnt, what is tried, and what makes an order small."""
        return 2 * _LIVES * len(self.life) + (1 + _SHRINKING) * self.examples * (self.deliveries + len(self.life))

    @property
    def seconds(self) -> float:
        """What the deliveries take."""
        return _SECONDS_OF_DELIVERY * self.requests

    def unfit(self, target: Target) -> Gap | None:
        """Return that a target handles none of the types, or that this is unknown."""
        return find_unhandled(target, self.life)

    async def run(self, context: Context) -> Sequence[Observation]:
        """Learn, then explore in a thread of its own, as hypothesis is synchronous."""
        from payproof.fuzzing.orders import explore_orders  # noqa: PLC0415 (of the extra `fuzz`)

        explorer = _Explorer(context, self)
        model = await explorer.learn()
        if model.states:
            await asyncio.to_thread(
                explore_orders,
                explorer.try_order,
                events=len(self.life),
                lives=explorer.lives,
                examples=self.examples,
                steps=self.deliveries,
                random_seed=context.random.getrandbits(32),
            )
        return [explorer.tell()]


class _Explorer:
    """Between the state machine, which is synchronous, and the case's client and stores."""

    def __init__(self, context: Context, asked: ExploreOrders) -> None:
        self._context, self._asked = context, asked
        self._loop = asyncio.get_running_loop()
        self._until = time.monotonic() + asked.seconds
        self._left = asked.requests
        self._model = LifeModel((), ())
        self._lives: list[list[LifeEvent]] = []
        self._come: list[set[int]] = []
        self._refused: list[Request] = []
        self.lives = _LIVES
        self._begun = self._orders = self._sent = self._step = 0
        self._unjudged = self._stale = self._table = ""
        self._commands: tuple[str, ...] = ()

    async def learn(self) -> LifeModel:
        """Deliver two lives in their order, and return what rows say after each event.

        Where no row names an object its customer's rows are looked at, and one life is told at a time.
        """
        lives = await self._learn_lives()
        if not any(columns for life in lives for columns in life):
            self.lives = 1
            lives = await self._learn_lives()
        if self._unjudged:
            return self._model
        self._model = LifeModel(*lives)
        if not self._model.states:
            self._unjudged = (
                "no column tells the newest state from an older one: it is not kept, or Stripe is asked for it"
            )
        return self._model

    async def _learn_lives(self) -> list[list[Columns]]:
        lives: list[list[Columns]] = []
        for _ in range(_LIVES):
            await self._begin()
            numbers = range(1, len(self._asked.life) + 1)
            lives.append([await self._deliver(0, number, look=True) or {} for number in numbers])
        return lives

    def try_order(self, order: Sequence[tuple[int, int]]) -> int:
        """Deliver events of new lives in an order; return after how many an older state shows, or 0.

        The state machine calls it, from its thread.
        """
        if self._is_over():
            return 0
        self._orders += 1
        self._wait(self._begin())
        for place, (life, number) in enumerate(order, start=1):
            stale = self._wait(self._deliver_and_look(life, number))
            if stale:
                self._note_stale(order[:place], stale)
                return place
            if self._is_over():
                return 0
        return 0

    async def _deliver_and_look(self, life: int, number: int) -> Mapping[tuple[str, str], str]:
        """Deliver an event; return what shows an older state, for as long as an effect may take."""
        come = self._come[life] | {number}
        newest = max(come)
        columns = await self._deliver(life, number, look=len(come) == newest > 1)
        until = time.monotonic() + self._context.target.contract.effect_within
        while columns is not None and (stale := self._model.find_stale(newest, columns)):
            if time.monotonic() > until:
                return stale
            columns = await self._look(life)
        return {}

    def _is_over(self) -> bool:
        return self._left <= 0 or time.monotonic() > self._until or bool(self._unjudged)

    def _note_stale(self, order: Sequence[tuple[int, int]], stale: Mapping[tuple[str, str], str]) -> None:
        """Remember an order that fails, where it is smaller than those before it."""
        if not self._commands or len(order) < len(self._commands):
            (table, _), self._stale = next(iter(stale.items()))
            self._table = table
            self._commands = tuple(self._write(*one) for one in order)

    def tell(self) -> OrdersExplored:
        """Return what was seen."""
        return OrdersExplored(
            self._step,
            self._orders,
            self._sent,
            self._model.columns,
            self._unjudged,
            self._commands,
            self._stale,
            self._table,
        )

    async def _begin(self) -> None:
        # Each life is later than the one before it, as one of the same customer is.
        self._begun += 1
        length = len(self._asked.life)
        earliest = max(1, self._asked.requests // length - self._begun) * length
        ages = [_APART * (earliest + length - place) for place in range(length)]
        self._lives = [make_life(self._context, self._asked.life, ages) for _ in range(self.lives)]
        self._come, self._refused = [set() for _ in self._lives], []
        await self._context.stores.note()

    async def _deliver(self, life: int, number: int, *, look: bool) -> Columns | None:
        """Deliver an event, and again what was refused before, as Stripe does; look what rows say of its object."""
        request = self._lives[life][number - 1].request
        waiting, self._refused = [request, *self._refused], []
        for one in waiting:
            is_first = one is request and number not in self._come[life]
            exchange = await self._context.send(one if is_first else resigned_request(self._context, one))
            if not exchange.is_accepted:
                self._refused.append(one)
            self._left, self._sent, self._step = self._left - 1, self._sent + 1, exchange.step
        self._come[life].add(number)
        return await self._look(life) if look else None

    async def _look(self, life: int) -> Columns | None:
        await self._context.stores.settle()
        # A row that is as it was before this life is one of the customer's all the same.
        rows = await self._context.stores.read_rows(self._ids_of(life), unchanged=self.lives == 1)
        if rows is None:
            self._unjudged = "the events changed too many rows to compare them"
            return None
        return read_columns(rows)

    def _ids_of(self, life: int) -> set[str]:
        """Return the ids that no other life has: those of the customer are in all of them."""
        ids = [{one for event in events for one in event.ids} for events in self._lives]
        return ids[life].difference(*(others for place, others in enumerate(ids) if place != life))

    def _write(self, life: int, number: int) -> str:
        """Return the command that delivers an event of the last lives."""
        event = self._lives[life][number - 1]
        values = (f"--set {shlex.quote(f'{name}={_plain(value)}')}" for name, value in event.values.items())
        age = _APART * (len(self._asked.life) - number + 1)
        what = " ".join([self._asked.life[number - 1], *values])
        return f"payproof deliver {what} --age {age} --url URL --secret-env SECRET"

    def _wait(self, work: Awaitable[_Any]) -> Any:
        async def run() -> _Any:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


def _plain(value: object) -> str:
    """Return a value as JSON has it, but a text without its quotes."""
    return value if isinstance(value, str) else json.dumps(value)
