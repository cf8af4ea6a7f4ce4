"""Runs one case: control, steps, sources, budget. Judges nothing but whether waiting is over, and prints nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from harness.canary import Ledger
from harness.domain.contracts import Log, Snapshot, Step, Store
from harness.domain.events import Record, Unwatched
from harness.domain.observation import Answer, Channel, Exchange, LogLines, Observation, StoreChange, TableChange
from harness.domain.scenario import Case, Phase, Scenario
from harness.domain.target import SourceSpec, Target
from harness.engine.context import CaseContext
from harness.engine.judge import unmet
from harness.engine.ports import Clock, EventSource, Sender
from harness.errors import InconclusiveError, Reason

__all__ = ["Runner"]

_FIRST_WAIT, _LONGEST_WAIT = 0.01, 0.25


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
        seed: int,
    ) -> None:
        self._target, self._sender, self._events = target, sender, events
        self._stores, self._logs, self._ledger, self._clock, self._seed = stores, logs, ledger, clock, seed
        self._specs: Mapping[str, SourceSpec] = {spec.name: spec for spec in target.stores}
        self._slowest_effect = 0.0
        self._unwatched: tuple[Unwatched, ...] = ()

    async def plant_marker(self, step: Step) -> Exchange:
        """Deliver a signed event and look for its ids in every source; a source without them proves nothing.

        Raises:
            InconclusiveError: the target gives no answer at all.
        """
        context = self._context("marker")
        before = {store.name: await store.snapshot((), None) for store in self._stores}
        positions = {log.name: await log.position() for log in self._logs}
        exchange = (await step.run(context))[-1]
        if not isinstance(exchange.answer, Answer):
            raise InconclusiveError(exchange.answer.reason, exchange.answer.detail)
        ids = [one.encode() for one in context.ids]
        missing = {*((Channel.STORE, s.name) for s in self._stores), *((Channel.LOG, log.name) for log in self._logs)}
        started, wait = self._clock.monotonic(), _FIRST_WAIT
        while True:
            for store in self._stores:
                blocks = (await store.snapshot(context.ids, before[store.name])).fresh
                if any(one in block.data for block in blocks for one in ids):
                    missing.discard((Channel.STORE, store.name))
            for log in self._logs:
                async for block in log.since(positions[log.name]):
                    if any(one in block.data for one in ids):
                        missing.discard((Channel.LOG, log.name))
            if not missing or self._clock.monotonic() - started > self._target.contract.effect_within:
                break
            await self._clock.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        self._unwatched = tuple(Unwatched(channel, name) for channel, name in sorted(missing))
        return exchange

    async def run(self, scenario: Scenario, case: Case) -> Record:
        """Run a case's control and then its steps, within its budget of seconds."""
        control: tuple[Observation, ...] = ()
        observations: tuple[Observation, ...] = ()
        stopped: tuple[Reason, str] | None = None
        try:
            async with asyncio.timeout(self._target.budget.case_seconds):
                if scenario.control is not None:
                    control = await self.phase(scenario.control, f"{case.id} control")
                observations = await self.phase(case.phase, case.id)
        except TimeoutError:
            stopped = (Reason.BUDGET_SPENT, f"more than {self._target.budget.case_seconds:g} s")
        except InconclusiveError as error:
            stopped = (error.reason, error.detail)
        finally:
            self._ledger.forget()
        return Record(control, observations, self._unwatched, stopped)

    async def phase(self, phase: Phase, key: str) -> tuple[Observation, ...]:
        """Run steps one by one, and look into every source after each."""
        context = self._context(key)
        done: tuple[Observation, ...] = ()
        for index, step in enumerate(phase.steps):
            context.step = index
            before = {store.name: await store.snapshot(context.ids, None) for store in self._stores}
            positions = {log.name: await log.position() for log in self._logs}
            done += tuple(await step.run(context))
            done += await self._aftermath(phase, context, before, positions, done)
        return done

    async def _aftermath(
        self,
        phase: Phase,
        context: CaseContext,
        before: Mapping[str, Snapshot],
        positions: Mapping[str, Any],
        done: tuple[Observation, ...],
    ) -> tuple[Observation, ...]:
        """Watch the sources until what is awaited is there, and then at least as long as such an effect may take.

        A target that works after it has answered shows its effects late; how late, earlier effects of this run tell.
        A step that must change nothing is watched twice as long.
        """
        contract = self._target.contract
        started, wait, awaited = self._clock.monotonic(), _FIRST_WAIT, True
        while True:
            waited = self._clock.monotonic() - started
            seen = await self._look(context, before, positions, waited)
            if awaited and not unmet(contract, phase.expect, done + seen):
                awaited = False
                if wait > _FIRST_WAIT:
                    self._slowest_effect = max(self._slowest_effect, waited)
            settle = max(contract.settle, 2 * self._slowest_effect)
            if waited >= (contract.effect_within if awaited else settle):
                return seen
            await self._clock.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _look(
        self, context: CaseContext, before: Mapping[str, Snapshot], positions: Mapping[str, Any], waited: float
    ) -> tuple[Observation, ...]:
        seen: list[Observation] = []
        for store in self._stores:
            after = await store.snapshot(context.ids, before[store.name])
            changes = _difference(before[store.name], after, self._specs[store.name])
            concealed = [self._ledger.conceal(block.data, block.where)[1] for block in after.fresh]
            exposures = tuple(exposure for found in concealed for exposure in found)
            seen.append(StoreChange(context.step, store.name, changes, exposures, waited))
        for log in self._logs:
            lines, exposures = [], ()
            async for block in log.since(positions[log.name]):
                line, found = self._ledger.conceal(block.data, block.where)
                lines.append(line.decode("utf-8", "replace"))
                exposures += found
            seen.append(LogLines(context.step, log.name, tuple(lines), exposures))
        return tuple(seen)

    def _context(self, key: str) -> CaseContext:
        return CaseContext(self._target, self._sender, self._events, self._ledger, self._clock, key, self._seed)


def _difference(before: Snapshot, after: Snapshot, spec: SourceSpec) -> tuple[TableChange, ...]:
    changes = []
    for table in sorted((before.tables.keys() | after.tables.keys()) - set(spec.ignore)):
        old, new = before.tables.get(table, {}), after.tables.get(table, {})
        if old == new:
            continue
        added = sum(max(0, count - old.get(row, 0)) for row, count in new.items())
        removed = sum(max(0, count - new.get(row, 0)) for row, count in old.items())
        changes.append(TableChange(table, added, removed, table in spec.rejection_log))
    return tuple(changes)
