"""Runs one case: control, steps, sources, budget. Judges nothing but whether waiting is over, and prints nothing."""

import asyncio
from collections.abc import Sequence

from harness.canary import Ledger
from harness.domain.contracts import Log, Step, Store
from harness.domain.events import Record, Unwatched
from harness.domain.observation import Answer, Channel, Exchange
from harness.domain.scenario import Case, Phase, Scenario
from harness.domain.target import Environment, Target
from harness.engine.context import CaseContext
from harness.engine.holdings import Holdings
from harness.engine.ports import Clock, Commands, EventSource, Sender, Writer
from harness.engine.trial import Patience, Trial, Watched
from harness.errors import InconclusiveError, Reason

__all__ = ["Runner"]

_MARKER_WAIT = 0.05


class Runner:
    """Runs cases one after another on one target."""

    def __init__(
        self,
        target: Target,
        *,
        sender: Sender,
        events: EventSource,
        stores: Sequence[Store],
        logs: Sequence[Log],
        ledger: Ledger,
        clock: Clock,
        holdings: Holdings,
        commands: Commands,
        seed: int,
        writer: Writer | None = None,
    ) -> None:
        self._target, self._sender, self._events, self._seed = target, sender, events, seed
        self._holdings, self._commands, self._writer = holdings, commands, writer
        self._watched, self._ledger, self._clock = Watched(stores, logs), ledger, clock
        self._patience = Patience()
        self._unwatched: tuple[Unwatched, ...] = ()

    async def plant_marker(self, step: Step) -> None:
        """Deliver a signed event and look for its ids in every source; silence of one without them proves nothing.

        On production nothing is delivered, and no source counts as watched.

        Raises:
            InconclusiveError: the target gives no answer at all.
        """
        if self._target.environment is Environment.PRODUCTION:
            # Nothing that changes something is sent there, so no source can show that it is the right one.
            stores = [Unwatched(Channel.STORE, store.name) for store in self._watched.stores]
            self._unwatched = (*stores, *(Unwatched(Channel.LOG, log.name) for log in self._watched.logs))
            return
        context = self._context("marker")
        before = [(store, await store.snapshot((), None)) for store in self._watched.stores]
        positions = [(log, await log.position()) for log in self._watched.logs]
        exchange = (await step.run(context))[-1]
        if isinstance(exchange, Exchange) and not isinstance(exchange.answer, Answer):
            raise InconclusiveError(exchange.answer.reason, exchange.answer.detail)
        marks = [one.encode() for one in context.ids]
        missing = {Unwatched(Channel.STORE, store.name) for store, _ in before}
        missing |= {Unwatched(Channel.LOG, log.name) for log, _ in positions}
        until = self._clock.monotonic() + self._target.contract.effect_within
        while True:
            for store, earlier in before:
                rows = (await store.snapshot(context.ids, earlier)).fresh
                if any(mark in row.data for row in rows for mark in marks):
                    missing.discard(Unwatched(Channel.STORE, store.name))
            for log, position in positions:
                if any([mark in line.data async for line in log.since(position) for mark in marks]):
                    missing.discard(Unwatched(Channel.LOG, log.name))
            if not missing or self._clock.monotonic() >= until:
                break
            await self._clock.sleep(_MARKER_WAIT)
        self._ledger.forget()
        self._unwatched = tuple(sorted(missing, key=lambda one: (one.channel, one.source)))

    async def run(self, scenario: Scenario, case: Case) -> Record:
        """Run a case's control and then its steps, within its budget of seconds."""
        control = self.trial(f"{case.id} control")
        main = self.trial(case.id)
        stopped: tuple[Reason, str] | None = None
        try:
            async with asyncio.timeout(self._target.budget.case_seconds) as limit:
                control.context.limit = main.context.limit = limit
                if scenario.control is not None:
                    await _through(control, scenario.control)
                await _through(main, case.phase)
        except TimeoutError:
            stopped = (Reason.BUDGET_SPENT, f"more than {self._target.budget.case_seconds:g} s")
        except InconclusiveError as error:
            stopped = (error.reason, error.detail)
        finally:
            self._ledger.forget()
        return Record(control.observations, main.observations, self._unwatched, stopped)

    def trial(self, key: str) -> Trial:
        """Begin a series of steps with randomness and canaries of its own."""
        return Trial(self._context(key), self._watched, ledger=self._ledger, clock=self._clock, patience=self._patience)

    def _context(self, key: str) -> CaseContext:
        return CaseContext(
            self._target,
            sender=self._sender,
            events=self._events,
            ledger=self._ledger,
            clock=self._clock,
            holdings=self._holdings,
            commands=self._commands,
            writer=self._writer,
            key=key,
            seed=self._seed,
        )


async def _through(trial: Trial, phase: Phase) -> None:
    for step in phase.steps:
        await trial.act(step)
        await trial.look(phase.expect)
