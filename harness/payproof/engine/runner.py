"""Runs one case: control, steps, sources, budget. Judges nothing but whether waiting is over, and prints nothing."""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from payproof.domain.calibration import Calibration, SourceMark
from payproof.domain.control import ControlEvents
from payproof.domain.events import Record, Unwatched
from payproof.domain.observation import Answer, Channel, Exchange, Observation, StripeCalls
from payproof.domain.operation_requests import order_operations
from payproof.domain.scenario import Case, Phase, Scenario
from payproof.domain.source import Log, Store
from payproof.domain.target import Environment, Target
from payproof.engine.calibrator import USUAL_TYPES, Calibrator, Deliveries
from payproof.engine.context import CaseContext
from payproof.engine.equipment import Equipment
from payproof.engine.lifeline import Lifeline
from payproof.engine.pace import Pace
from payproof.engine.preflight import OTHER_VERSIONS, explain_refusal, find_clock_difference
from payproof.engine.shared import Shared
from payproof.engine.source_marks import SourceMarks
from payproof.engine.source_reads import find_position, read_lines, take_snapshot
from payproof.engine.trial import OpenSources, Trial
from payproof.engine.turns import ControlTurns
from payproof.errors import InconclusiveError, Reason, TargetGoneError
from payproof.steps.prepare import perform
from payproof.stripe.deliveries import CONNECT_TYPES

__all__ = ["Runner"]

_MARKER_WAIT = 0.05
_SUCCESS = range(200, 300)
_FAILURE = 500


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
        self.target, self._equipment, self._seed = target, equipment, seed
        self._ledger, self._clock, self._outages = equipment.ledger, equipment.clock, equipment.outages
        self._watched = OpenSources(stores, logs, equipment.upstream)
        budget = target.budget
        self._shared = Shared(
            ControlTurns(target.control),
            Pace(target.contract.rejected, budget.patience),
            Lifeline(equipment.sender, equipment.clock, target.webhook.path, budget.patience),
            stores,
        )
        self._learning = itertools.count()
        self._is_pinned = target.contract.handles is not None
        self.unwatched: tuple[Unwatched, ...] = ()
        self.marker: tuple[Observation, ...] = ()
        self.refusal = ""
        self.taken_version = ""
        self.is_refused_by_age = False

    async def make_subject(self) -> None:
        """Perform the operation that makes whom the events are about, where the target file names one.

        Raises:
            InconclusiveError: it did not succeed.
        """
        operation = self.target.operation(self.target.subject.make) if self.target.subject.make else None
        if operation is not None and self.target.environment is not Environment.PRODUCTION:
            context = self._make_context("subject")
            await perform(context, (*order_operations(self.target, operation.after), operation))
            subject = self.target.subject.with_ids(context.kept.values())
            self.target = replace(self.target, subject=subject)

    async def meet(self, types: Iterable[str], deliveries: Deliveries) -> None:
        """Show that the target listens and that each source is the right one, and learn what its file does not say.

        ``types`` are those of which the cases have to know what becomes of them. ``marker`` is then what was answered
        to a genuine delivery, ``unwatched`` are the sources that do not show it.

        On production nothing is delivered, and no source counts as watched. Where every genuine event is refused,
        ``refusal`` says why, and nothing more is learnt; ``taken_version`` is then the API version of whose events it
        takes some. With ``is_refused_by_age`` that is a fault of the target's,
        which the cases that need no control find.

        Raises:
            InconclusiveError: the target gives no answer at all.
        """
        wanted = self._find_unknown(types)
        if self.target.control is None and self.target.stores:
            wanted |= {one for one in USUAL_TYPES if self.target.contract.is_handled(one)}
        if self.target.environment is Environment.PRODUCTION:
            # Nothing that changes something is sent there, so no source can show that it is the right one.
            stores = [Unwatched(Channel.STORE, store.name) for store in self._watched.stores]
            self.unwatched = (*stores, *(Unwatched(Channel.LOG, log.name) for log in self._watched.logs))
        elif wanted:
            await self._require_sources()
            await self._deliver_marker(deliveries)
            if not self.refusal:
                await self._calibrate(wanted, deliveries)
                if self.target.control is None:
                    every = self._leave_out_connect(self._equipment.events.types(self.target.webhook.api_version))
                    await self._calibrate(every - wanted, deliveries)
                await self._deliver_marker(deliveries)
        else:
            await self._plant_marker(deliveries)
        self._ledger.forget()

    async def learn(self, types: Iterable[str], deliveries: Deliveries) -> None:
        """Learn what becomes of types that were not tried before, where the target file does not say it."""
        if self.target.environment is not Environment.PRODUCTION and (wanted := self._find_unknown(types)):
            await self._calibrate(wanted, deliveries)
            self._ledger.forget()

    def _find_unknown(self, types: Iterable[str]) -> frozenset[str]:
        """Return the types of which has to be found out what becomes of them; where no store shows it, none."""
        if self._is_pinned or not self.target.stores:
            return frozenset()
        known = self.target.calibration
        return self._leave_out_connect(types) - {one.event for one in known.reactions} - known.unclear

    def _leave_out_connect(self, types: Iterable[str]) -> frozenset[str]:
        """Return the types that Stripe sends to the endpoint."""
        return frozenset(types) - (frozenset() if self.target.webhook.connect else CONNECT_TYPES)

    async def _require_sources(self) -> None:
        """Return where every source can be read, before anything is sent.

        Raises:
            InconclusiveError: one cannot be read.
        """
        seconds = self.target.budget.seconds_of_case
        for store in self._watched.stores:
            await take_snapshot(store, (), None, seconds)
        for log in self._watched.logs:
            await find_position(log, seconds)

    async def _deliver_marker(self, deliveries: Deliveries) -> CaseContext:
        context = self._make_context("marker")
        self.marker = tuple(await deliveries.control.run(context))
        refused = _find_refusal(self.marker)
        if refused is not None:
            await self._require_acceptance(refused, deliveries)
        return context

    async def _require_acceptance(self, refused: Answer, deliveries: Deliveries) -> None:
        """Find out whether the target takes another genuine event, or fails at it, and else why it refuses them all."""
        context = self._make_context("preflight")
        for step in deliveries.others:
            if _find_refusal(await step.run(context)) is None:
                return
        hook, control = self.target.webhook, deliveries.control
        for step in () if find_clock_difference(refused, context.clock.now()) else deliveries.aged:
            if _find_refusal(await step.run(context)) is None:
                self.refusal = f"{hook.path} takes events that were signed some time ago, and refuses those signed now"
                self.is_refused_by_age = True
                return
        for version in OTHER_VERSIONS:
            other = replace(self.target, webhook=replace(hook, api_version=version))
            if _find_refusal(await control.run(self._make_context(f"preflight {version}", other))) is None:
                self.taken_version = version
                self.refusal = (
                    f"{hook.path} takes events of API version {version}: name that in api_version of [webhook]"
                )
                return
        path, now = hook.path, context.clock.now()
        self.refusal = await explain_refusal(context.send, path, refused, now)

    async def _plant_marker(self, deliveries: Deliveries) -> None:
        """Deliver the control event, and look for its ids in every source: silence of one without them is no proof."""
        seconds = self.target.budget.seconds_of_case
        before = [(store, await take_snapshot(store, (), None, seconds)) for store in self._watched.stores]
        positions = [(log, await find_position(log, seconds)) for log in self._watched.logs]
        ids = (await self._deliver_marker(deliveries)).progress.ids
        marks = [one.encode() for one in ids]
        missing = {Unwatched(Channel.STORE, store.name) for store, _ in before}
        missing |= {Unwatched(Channel.LOG, log.name) for log, _ in positions}
        until = self._clock.monotonic() + self.target.contract.effect_within
        while True:
            for store, earlier in before:
                rows = (await take_snapshot(store, ids, earlier, seconds)).fresh
                if any(mark in row.data for row in rows for mark in marks):
                    missing.discard(Unwatched(Channel.STORE, store.name))
            for log, position in positions:
                lines = await read_lines(log, position, seconds)
                if any(mark in line.data for line in lines for mark in marks):
                    missing.discard(Unwatched(Channel.LOG, log.name))
            if not missing or self._clock.monotonic() >= until:
                break
            await self._clock.sleep(_MARKER_WAIT)
        self.unwatched = tuple(sorted(missing, key=lambda one: (one.channel, one.source)))

    async def _calibrate(self, types: Iterable[str], deliveries: Deliveries) -> None:
        """Learn how the target reacts to these types, and fit ``target`` to it, but for what its file pins."""
        target = self.target
        marks = SourceMarks(
            tuple(zip(self._watched.stores, target.stores, strict=True)),
            self._watched.logs,
            self._clock,
            foreign=target.subject.ids.values(),
            seconds=target.budget.seconds_of_case,
        )
        lifeline = self._shared.lifeline
        calibrator = Calibrator(
            self._begin_learning,
            deliveries,
            marks,
            self._clock,
            contract=target.contract,
            patience=target.budget.patience,
            is_gone=lambda: bool(lifeline.gone),
        )
        known, found = target.calibration, await calibrator.reach(types)
        if not known.reactions:
            found = await calibrator.refuse(found)
        self._fit(
            Calibration(
                (*known.reactions, *found.reactions),
                known.unclear | found.unclear,
                _merge_marks(known.marks, found.marks),
                known.journals or found.journals,
            )
        )
        if target.control is None:
            control = await calibrator.find_control(self.target.calibration)
            self.target, self._shared.turns.events = replace(self.target, control=control), control or ControlEvents()
        shown = self.target.calibration.marks
        self._equipment.at_rest.trust(shown, self._find_silent_logs())
        missing = [Unwatched(one.channel, one.source) for one in shown if not one.shown_by]
        self.unwatched = tuple(sorted(missing, key=lambda one: (one.channel, one.source)))

    def _find_silent_logs(self) -> frozenset[str]:
        """Return the logs in which the control event leaves no line, whatever other events leave there."""
        control = self.target.control
        reaction = None if control is None else self.target.calibration.of(control.event.event)
        logs = frozenset(one.name for one in self.target.logs)
        return frozenset() if reaction is None else logs - frozenset(reaction.logs)

    def _fit(self, calibration: Calibration) -> None:
        """Take over what was learnt: journals are places where rejections may be recorded, and hold no effect."""
        stores = tuple(
            replace(
                spec,
                rejection_log=tuple(dict.fromkeys((*spec.rejection_log, *calibration.journals_of(spec.name)))),
            )
            for spec in self.target.stores
        )
        journals = frozenset(calibration.journals)
        reactions = tuple(
            replace(one, tables=tuple(table for table in one.tables if table not in journals))
            for one in calibration.reactions
        )
        calibration = replace(calibration, reactions=reactions)
        contract = self.target.contract
        if not self._is_pinned:
            # Of a target that shows no effect at all nothing is known, and nothing may pass as not handled.
            contract = replace(contract, handles=calibration.handled or None)
        self.target = replace(self.target, stores=stores, contract=contract, calibration=calibration)

    async def run(self, scenario: Scenario, case: Case) -> Record:
        """Run a case's control and then its steps, within its budget of seconds; nothing where the target is gone."""
        if (gone := self._shared.lifeline.gone) and not await self._shared.lifeline.answers(0):
            return Record(stopped=(Reason.UNREACHABLE, f"the target is gone since {gone}"))
        self._shared.lifeline.gone = ""
        control = self.trial(f"{case.id} control")
        main = self.trial(case.id)
        stopped: tuple[Reason, str] | None = None
        again = ""
        steps = (*(scenario.control.steps if scenario.control else ()), *case.phase.steps)
        budget = self.target.budget
        seconds = budget.seconds_of_case + sum(budget.scale_seconds(step.seconds) for step in steps)
        if "upstream" in case.needs:
            promised = self.target.contract.operations
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
            again = error.again if isinstance(error, TargetGoneError) else ""
        finally:
            self._ledger.forget()
            if self._equipment.instances is not None:
                await self._equipment.instances.stop()  # whatever has happened, an interrupt included
            try:
                await self._outages.end()  # whatever has happened, an interrupt included
            except InconclusiveError as error:
                stopped = (error.reason, error.detail)
        if stopped is None and "upstream" in case.needs:
            stopped = _find_unanswerable(control.observations + main.observations)
        return Record(control.observations, main.observations, self.unwatched, stopped, again)

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
            self._make_context(key),
            self._watched,
            ledger=self._ledger,
            clock=self._clock,
            patience=self._shared.patience,
        )

    def _begin_learning(self, about: str) -> Trial:
        """Begin a trial of a calibration; each has randomness of its own."""
        return self.trial(f"calibration {next(self._learning)}, {about}")

    def _make_context(self, key: str, target: Target | None = None) -> CaseContext:
        return CaseContext(target or self.target, self._equipment, key=key, seed=self._seed, shared=self._shared)


def _find_unanswerable(observations: tuple[Observation, ...]) -> tuple[Reason, str] | None:
    """Return why what was observed is no proof: a call that the backend does not offer, though Stripe may."""
    calls = (call for one in observations if isinstance(one, StripeCalls) for call in one.calls)
    unknown = next((call for call in calls if call.unknown), None)
    if unknown is None:
        return None
    detail = f"the double does not know {unknown.method} {unknown.path}; take stripe-mock, or Stripe's test mode"
    return Reason.UPSTREAM_FAILED, detail


def _merge_marks(known: Sequence[SourceMark], found: Sequence[SourceMark]) -> tuple[SourceMark, ...]:
    """Return what each source is shown by: what was tried first may have had no effect anywhere."""
    later = {(one.channel, one.source): one for one in found}
    return tuple(one if one.shown_by else later.get((one.channel, one.source), one) for one in known or found)


def _find_refusal(observed: Sequence[Observation]) -> Answer | None:
    """Return the answer that refuses a delivery, if it does; a failure is no refusal.

    Raises:
        InconclusiveError: there is no answer.
    """
    exchange = observed[-1]
    assert isinstance(exchange, Exchange)
    if not isinstance(exchange.answer, Answer):
        raise InconclusiveError(exchange.answer.reason, exchange.answer.detail)
    return None if exchange.answer.status in _SUCCESS or exchange.answer.status >= _FAILURE else exchange.answer


async def _run_phase(trial: Trial, phase: Phase) -> None:
    last = len(phase.steps) - 1
    for number, step in enumerate(phase.steps):
        await trial.act(step)
        await trial.look(one for one in phase.expectations if number == last or not one.at_end)
