"""Runs one case: control, steps, sources, budget. Judges nothing but whether waiting is over, and prints nothing."""

import asyncio
from collections.abc import Sequence

from payproof.domain.events import Record, Unwatched
from payproof.domain.observation import Answer, Channel, Exchange, Observation, StripeCalls
from payproof.domain.scenario import Case, Phase, Scenario
from payproof.domain.source import Log, Store
from payproof.domain.step import Step
from payproof.domain.target import Environment, Target
from payproof.engine.context import CaseContext
from payproof.engine.equipment import Equipment
from payproof.engine.source_reads import find_position, read_lines, take_snapshot
from payproof.engine.trial import OpenSources, Patience, Trial
from payproof.errors import InconclusiveError, Reason

__all__ = ["Runner"]

_MARKER_WAIT = 0.05


class Runner:
    """Runs cases one after another on one target."""

    def __init__(
        self,
        target: Target,
        equipment: Equipment,
        *,
        stores: Sequence[Store],
        logs: Sequence[Log],
        seed: int,
    ) -> None:
        self._target, self._equipment, self._seed = target, equipment, seed
        self._ledger, self._clock, self._outages = equipment.ledger, equipment.clock, equipment.outages
        self._watched = OpenSources(stores, logs, equipment.upstream)
        self._patience = Patience()
        self.unwatched: tuple[Unwatched, ...] = ()
        self.marker: tuple[Observation, ...] = ()

    async def plant_marker(self, step: Step) -> None:
        """Deliver a signed event and look for its ids in every source; silence of one without them proves nothing.

        ``marker`` is then what was answered, ``unwatched`` are the sources without them.

        On production nothing is delivered, and no source counts as watched.

        Raises:
            InconclusiveError: the target gives no answer at all.
        """
        if self._target.environment is Environment.PRODUCTION:
            # Nothing that changes something is sent there, so no source can show that it is the right one.
            stores = [Unwatched(Channel.STORE, store.name) for store in self._watched.stores]
            self.unwatched = (*stores, *(Unwatched(Channel.LOG, log.name) for log in self._watched.logs))
            return
        context, seconds = self._make_context("marker"), self._target.budget.seconds_of_case
        before = [(store, await take_snapshot(store, (), None, seconds)) for store in self._watched.stores]
        positions = [(log, await find_position(log, seconds)) for log in self._watched.logs]
        self.marker = tuple(await step.run(context))
        exchange = self.marker[-1]
        if isinstance(exchange, Exchange) and not isinstance(exchange.answer, Answer):
            raise InconclusiveError(exchange.answer.reason, exchange.answer.detail)
        marks = [one.encode() for one in context.progress.ids]
        missing = {Unwatched(Channel.STORE, store.name) for store, _ in before}
        missing |= {Unwatched(Channel.LOG, log.name) for log, _ in positions}
        until = self._clock.monotonic() + self._target.contract.effect_within
        while True:
            for store, earlier in before:
                rows = (await take_snapshot(store, context.progress.ids, earlier, seconds)).fresh
                if any(mark in row.data for row in rows for mark in marks):
                    missing.discard(Unwatched(Channel.STORE, store.name))
            for log, position in positions:
                lines = await read_lines(log, position, seconds)
                if any(mark in line.data for line in lines for mark in marks):
                    missing.discard(Unwatched(Channel.LOG, log.name))
            if not missing or self._clock.monotonic() >= until:
                break
            await self._clock.sleep(_MARKER_WAIT)
        self._ledger.forget()
        self.unwatched = tuple(sorted(missing, key=lambda one: (one.channel, one.source)))

    async def run(self, scenario: Scenario, case: Case) -> Record:
        """Run a case's control and then its steps, within its budget of seconds."""
        control = self.trial(f"{case.id} control")
        main = self.trial(case.id)
        stopped: tuple[Reason, str] | None = None
        steps = (*(scenario.control.steps if scenario.control else ()), *case.phase.steps)
        budget = self._target.budget
        seconds = budget.seconds_of_case + sum(budget.scale_seconds(step.seconds) for step in steps)
        if "upstream" in case.needs:
            promised = self._target.contract.operations
            seconds += promised.answer_within + promised.completed_within
        try:
            async with asyncio.timeout(seconds) as limit:
                control.context.clock.limit = main.context.clock.limit = limit
                if scenario.control is not None:
                    await _run_phase(control, scenario.control)
                self._require_calls(case, control)
                main.expect(case.phase, control.observations)
                await _run_phase(main, case.phase)
        except TimeoutError:
            stopped = (Reason.BUDGET_SPENT, f"more than {seconds:g} s")
        except InconclusiveError as error:
            stopped = (error.reason, error.detail)
        finally:
            self._ledger.forget()
            try:
                await self._outages.end()  # whatever has happened, an interrupt included
            except InconclusiveError as error:
                stopped = (error.reason, error.detail)
        if stopped is None and "upstream" in case.needs:
            stopped = _find_unanswerable(control.observations + main.observations)
        return Record(control.observations, main.observations, self.unwatched, stopped)

    def _require_calls(self, case: Case, control: Trial) -> None:
        """Return only when the target has called the upstream in this run, where a case needs that."""
        upstream = self._watched.upstream
        if upstream is not None and "upstream" in case.needs and (hint := upstream.hint()):
            answers = [o.answer for o in control.observations if isinstance(o, Exchange)]
            told = ", ".join(f"status {a.status}" if isinstance(a, Answer) else a.reason.value for a in answers)
            raise InconclusiveError(Reason.CONTROL_FAILED, f"the operation was answered: {told or 'nothing'}; {hint}")

    def trial(self, key: str) -> Trial:
        """Begin a series of steps with randomness and canaries of its own."""
        return Trial(
            self._make_context(key), self._watched, ledger=self._ledger, clock=self._clock, patience=self._patience
        )

    def _make_context(self, key: str) -> CaseContext:
        return CaseContext(self._target, self._equipment, key=key, seed=self._seed)


def _find_unanswerable(observations: tuple[Observation, ...]) -> tuple[Reason, str] | None:
    """Return why what was observed is no proof: a call that the backend does not offer, though Stripe may."""
    calls = (call for one in observations if isinstance(one, StripeCalls) for call in one.calls)
    unknown = next((call for call in calls if call.unknown), None)
    if unknown is None:
        return None
    detail = f"the double does not know {unknown.method} {unknown.path}; take stripe-mock, or Stripe's test mode"
    return Reason.UPSTREAM_FAILED, detail


async def _run_phase(trial: Trial, phase: Phase) -> None:
    last = len(phase.steps) - 1
    for number, step in enumerate(phase.steps):
        await trial.act(step)
        await trial.look(one for one in phase.expectations if number == last or not one.at_end)
