"""Acts and looks: the steps of one control or case, with a look into every source after each.

Before a step a trial takes a snapshot of each store, and notes where each log ends and how many calls to Stripe there
were. After the step it looks until two things are so. Each patient check of the phase holds, or its time limit has
passed: a target may do after its answer what it has accepted. And enough time has passed since the step: the contract's
``settle``, or twice as long as the slowest effect of this run has taken, so that absence means the same on a slow
target as on a quick one.

While the target's store is down, a trial does not read it. The first look afterwards is compared with the last snapshot
before. Every row and line passes the ledger on its way, so that no observation holds a sensitive value.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from payproof.canary import Ledger
from payproof.domain.check import Check, Expectation
from payproof.domain.observation import (
    LogLines,
    Observation,
    RowSeen,
    StoreChange,
    StripeCalls,
    StripeState,
    TableChange,
)
from payproof.domain.scenario import Phase
from payproof.domain.source import Excerpt, Log, Snapshot, Store
from payproof.domain.step import Step
from payproof.domain.target import SourceSpec
from payproof.engine.context import CaseContext
from payproof.engine.judge import has_unmet
from payproof.engine.patience import Patience
from payproof.engine.ports import Clock, Upstream
from payproof.engine.rows import show_rows
from payproof.engine.source_reads import find_position, read_lines, take_snapshot

__all__ = ["OpenSources", "Trial"]

_FIRST_WAIT, _LONGEST_WAIT = 0.01, 0.25


@dataclass(frozen=True, slots=True)
class OpenSources:
    """The open sources of a target."""

    stores: Sequence[Store]
    logs: Sequence[Log]
    upstream: Upstream | None = None


class Trial:
    """Steps on a target one by one, with a look into every source after each."""

    def __init__(
        self, context: CaseContext, watched: OpenSources, *, ledger: Ledger, clock: Clock, patience: Patience
    ) -> None:
        self._acted: tuple[Observation, ...] = ()
        self._seen: tuple[Observation, ...] = ()
        self._context, self._watched = context, watched
        self._ledger, self._clock, self._patience = ledger, clock, patience
        self._before: list[Snapshot] = []
        self._shows_rows, self._sent_before = False, 0
        self._positions: list[object] = []
        # For each step, how many calls to Stripe, and connections with a fault, there were before it.
        self._arrived: list[tuple[int, int]] = []
        if watched.upstream is not None:
            watched.upstream.arm((), context.random, context.canaries.conceal)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """All that was observed so far, in order."""
        return self._acted + self._seen + self._calls()

    def expect(self, phase: Phase, control: tuple[Observation, ...]) -> None:
        """Let steps ask what is wrong with an answer, by what a phase expects beside what the control has shown."""
        self._context.expect, self._context.control = phase.expect, control

    @property
    def context(self) -> CaseContext:
        """The context that the steps act through."""
        return self._context

    async def act(self, step: Step) -> None:
        """Remember the state of every source, then run a step."""
        self._acted, self._seen = self._acted + self._seen, ()
        self._context.progress.step += 1
        seconds = self._context.target.budget.seconds_of_case
        self._context.requests += self._context.target.budget.scale_requests(step.requests)
        self._shows_rows, self._sent_before = step.shows_rows, len(self._context.sent)
        if not self._context.outage.is_on:  # while it is, the next look is compared with the last snapshot before
            ids = self._context.progress.ids
            self._before = [await take_snapshot(store, ids, None, seconds) for store in self._watched.stores]
        self._positions = [await find_position(log, seconds) for log in self._watched.logs]
        if self._watched.upstream is not None:
            upstream = self._watched.upstream
            if not self._arrived:
                upstream.take_caused_events()  # of what was before this phase
            self._arrived.append((upstream.count_calls(), len(upstream.connections(0))))
        self._acted += tuple(await step.run(self._context))

    async def look(self, expect: Iterable[Check | Expectation]) -> None:
        """Watch the sources until what is awaited is there, and then at least as long as such an effect may take.

        A second look at the same step takes the place of the first. A target that works after it has answered shows its
        effects late; how late, earlier effects of this run tell.
        """
        contract, expected = self._context.target.contract, tuple(Expectation.of(check) for check in expect)
        completing = any(one.at_end for one in expected)
        patient = any(one.patient for one in expected) and not completing
        limit = contract.operations.completed_within if completing else contract.effect_within
        started, wait, awaited = self._clock.monotonic(), _FIRST_WAIT, True
        while True:
            waited = self._clock.monotonic() - started
            seen = await self._look_once(waited)
            shown = self._clock.monotonic() - started
            observed = self._acted + seen + self._calls()
            if awaited and not has_unmet(contract, expected, observed, self._context.control):
                awaited = False
                if patient:
                    self._patience.note_effect(waited if wait > _FIRST_WAIT else 0.0, shown)
            enough = limit if awaited else max(contract.settle, self._patience.seconds)
            if waited >= enough:
                self._seen = seen
                if self._watched.upstream is not None:
                    self._watched.upstream.check()
                return
            await self._clock.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def peek(self) -> tuple[Observation, ...]:
        """Return what the step has done, and what the sources show of it at once."""
        return self._acted + await self._look_once(0.0) + self._calls()

    async def _look_once(self, waited: float) -> tuple[Observation, ...]:
        changes = [] if self._context.outage.is_on else [s async for s in self._changes(waited)]
        return (*changes, *[s async for s in self._lines()])

    def _calls(self) -> tuple[StripeCalls, ...]:
        """Return the calls of each step so far; one that was under way at an earlier look may have ended since."""
        if self._watched.upstream is None or not self._arrived:
            return ()
        calls, connections = self._watched.upstream.calls(0), self._watched.upstream.connections(0)
        ends = [*self._arrived[1:], (len(calls), len(connections))]
        return tuple(
            StripeCalls(step, calls[begin:end], connections[first:last])
            for step, ((begin, first), (end, last)) in enumerate(zip(self._arrived, ends, strict=True))
        )

    async def _changes(self, waited: float) -> AsyncIterator[StoreChange]:
        specs = self._context.target.stores
        for store, spec, before in zip(self._watched.stores, specs, self._before, strict=True):
            after = await take_snapshot(
                store, self._context.progress.ids, before, self._context.target.budget.seconds_of_case
            )
            concealed = self._ledger.conceal_all((block.data, block.where) for block in after.fresh)
            exposures = tuple(
                replace(exposure, table=block.table, column=block.column)
                for block, (_, found) in zip(after.fresh, concealed, strict=True)
                for exposure in found
            )
            rows = self._show_rows(spec, after.fresh, concealed) if self._shows_rows else ()
            tables = _difference(before, after, spec)
            yield StoreChange(self._context.progress.step, store.name, tables, exposures, waited, rows)

    def _show_rows(
        self, spec: SourceSpec, fresh: Sequence[Excerpt], concealed: Sequence[tuple[bytes, object]]
    ) -> tuple[RowSeen, ...] | None:
        own = {one for request in self._context.sent[self._sent_before :] for one in request.ids}
        cells = (
            (cell.table, cell.column, data.decode("utf-8", "replace"))
            for cell, (data, _) in zip(fresh, concealed, strict=True)
            if cell.table not in spec.ignore
        )
        step = self._context.progress.step
        states = [one for one in self._acted if isinstance(one, StripeState) and one.step == step]
        times = {at: name for one in states for at, name in one.times} if states else None
        return show_rows(cells, own, self._context.clock.now(), times)

    async def _lines(self) -> AsyncIterator[LogLines]:
        for log, position in zip(self._watched.logs, self._positions, strict=True):
            found = await read_lines(log, position, self._context.target.budget.seconds_of_case)
            concealed = self._ledger.conceal_all((block.data, block.where) for block in found)
            lines = tuple(self._context.canaries.veil(line).decode("utf-8", "replace") for line, _ in concealed)
            exposures = tuple(
                replace(exposure, line=line) for line, (_, found) in enumerate(concealed) for exposure in found
            )
            yield LogLines(self._context.progress.step, log.name, lines, exposures)


def _difference(before: Snapshot, after: Snapshot, spec: SourceSpec) -> tuple[TableChange, ...]:
    changes = []
    for table in sorted((before.tables.keys() | after.tables.keys()) - set(spec.ignore)):
        old, new = before.tables.get(table, {}), after.tables.get(table, {})
        if old == new:
            continue
        # Of big tables most rows are the same.
        added = sum(max(0, count - old.get(row, 0)) for row, count in new.items() - old.items())
        removed = sum(max(0, count - new.get(row, 0)) for row, count in old.items() - new.items())
        changes.append(TableChange(table, added, removed, table in spec.rejection_log))
    return tuple(changes)
