"""Learns before the first case how a target reacts to genuine events, so that cases ask of it what it does at all.

``reach`` delivers one event of each type, and takes a look after each: the change that a target makes before it answers
belongs to the event. Then it waits once for all. What changes only then belongs to the event whose id it holds, or to
the one that changes it again when it is delivered alone. Of a target that works after it has answered, each effect that
was seen is confirmed so: it may have been that of the event before.

``find_control`` looks for an event that has an effect each time that it is delivered. Where no type has one twice, as
the target only sets a state, two events that undo each other take turns.

``refuse`` delivers what nobody may apply: a forgery, and rubbish. A table that gains a row of both, and one of each
copy of a genuine delivery too, is a journal of deliveries and holds no state. A log that tells of both is the right
one.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from payproof.domain.calibration import Calibration, Reaction
from payproof.domain.control import ControlEvent, ControlEvents
from payproof.domain.observation import Answer, Channel, Exchange, LogLines, Observation, StoreChange, StripeCalls
from payproof.domain.step import Step
from payproof.domain.target import Contract
from payproof.engine.ports import Clock
from payproof.engine.source_marks import SourceMarks
from payproof.engine.trial import Trial
from payproof.errors import InconclusiveError, TargetGoneError

__all__ = ["USUAL_TYPES", "Calibrator", "Deliveries"]

#: Types that billing systems handle most often, the likeliest first: where time is short, these are tried.
USUAL_TYPES = (
    "customer.subscription.updated",
    "checkout.session.completed",
    "invoice.paid",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.refunded",
    "customer.updated",
)
_UNDOING = tuple(
    ControlEvents(*pair)
    for pair in (
        (
            ControlEvent("customer.subscription.updated", {"status": "past_due"}),
            ControlEvent("customer.subscription.updated", {"status": "active"}),
        ),
        (ControlEvent("customer.subscription.deleted"), ControlEvent("customer.subscription.updated")),
        (ControlEvent("customer.subscription.deleted"), ControlEvent("customer.subscription.created")),
        (ControlEvent("customer.subscription.deleted"), ControlEvent("checkout.session.completed")),
        (ControlEvent("invoice.payment_failed"), ControlEvent("invoice.paid")),
        (ControlEvent("invoice.payment_failed"), ControlEvent("invoice.payment_succeeded")),
        (ControlEvent("payment_intent.payment_failed"), ControlEvent("payment_intent.succeeded")),
        (ControlEvent("charge.refunded"), ControlEvent("charge.succeeded")),
    )
)
_CONTROLS_TRIED = 8
_ROUNDS = 2  # that an event, or a pair, must have an effect in
_REACH_SECONDS, _AGAIN_SECONDS, _SIFT_SECONDS = 60.0, 10.0, 30.0
_LEAST_WAIT, _WAIT = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The steps that calibration takes: the control event, any genuine one, a forgery, rubbish, the last one again.

    ``others`` are genuine ones that differ from each other: a target that refuses them all listens to none.
    ``aged`` are as genuine, but signed some time ago: one that takes only these judges time wrongly.
    """

    control: Step
    others: tuple[Step, ...]
    aged: tuple[Step, ...]
    genuine: Callable[[ControlEvent], Step]
    forged: Step
    rubbish: Step
    again: Step


class Calibrator:
    """Learns how a target reacts, by trials of its own; ``begin`` begins one, ``marks`` watch the sources."""

    def __init__(
        self,
        begin: Callable[[str], Trial],
        deliveries: Deliveries,
        marks: SourceMarks,
        clock: Clock,
        *,
        contract: Contract,
        patience: float,
        is_gone: Callable[[], bool],
    ) -> None:
        self._begin, self._deliveries, self._marks, self._clock = begin, deliveries, marks, clock
        self._contract, self._patience, self._is_gone = contract, patience, is_gone
        self._slowest = 0.0

    async def reach(self, types: Iterable[str]) -> Calibration:
        """Deliver one event of each type, the usual ones first, and return what came of each."""
        order = sorted(types, key=_rank)
        until = self._clock.monotonic() + _REACH_SECONDS * self._patience
        reactions: dict[str, Reaction] = {}
        ids: dict[str, Sequence[str]] = {}
        await self._marks.begin()
        for type_ in order:
            if self._clock.monotonic() > until:
                break
            trial = self._begin(type_)
            reactions[type_] = await self._try(trial, ControlEvent(type_))
            ids[type_] = self._marks.own_ids(trial.context.progress.ids)
        quiet = {type_: ids[type_] for type_ in _find_quiet(reactions)}
        unclear = set(order) - reactions.keys()
        if quiet:
            late, unexplained = await self._marks.wait(quiet, self._contract.effect_within)
            for type_, (tables, seconds) in late.items():
                reactions[type_] = replace(reactions[type_], tables=tables, seconds=seconds)
                self._slowest = max(self._slowest, seconds)
            if unexplained:
                unclear |= await self._try_quiet([one for one in quiet if one not in late], reactions)
        unclear |= await self._settle_blame(order, reactions)
        own = [one for of in ids.values() for one in of]
        marks = await self._marks.end(own, tuple(reactions.values()))
        if not any(one.channel is Channel.STORE and one.shown_by == "ids" for one in marks):
            await self._try_after_others(reactions)
            marks = await self._marks.end(own, tuple(reactions.values()))
        return Calibration(tuple(reactions.values()), frozenset(unclear), marks)

    async def _try(self, trial: Trial, event: ControlEvent) -> Reaction:
        """Deliver an event, take one look, and return what came of it by then."""
        started = self._clock.monotonic()
        try:
            await trial.act(self._deliveries.genuine(event))
        except TargetGoneError:
            if self._is_gone():
                raise
            return Reaction(event.event, None)  # it is back; the case that is about this type tells it
        return _describe(event.event, await trial.peek(), self._clock.monotonic() - started)

    async def _settle_blame(self, order: Sequence[str], reactions: dict[str, Reaction]) -> set[str]:
        """Find the events whose effects were seen with later ones only; return the types that there was no time for.

        An effect that follows an event without one may be that one's, late: it has to show again when its event is
        delivered alone, or behind what undoes it. Where one does not, nothing that was seen in passing counts.
        """
        tried = [reactions[type_] for type_ in order if type_ in reactions]
        pairs = itertools.pairwise(tried)
        doubtful = [
            one.event for before, one in pairs if one.is_handled and before.is_accepted and not before.is_handled
        ]
        if await self._confirm(doubtful, reactions):
            return set()
        await self._confirm([one.event for one in tried if one.is_handled and one.event not in doubtful], reactions)
        quiet = [one.event for one in reactions.values() if one.is_accepted and not one.is_handled]
        return await self._try_quiet(quiet, reactions)

    async def _try_quiet(self, types: Sequence[str], reactions: dict[str, Reaction]) -> set[str]:
        """Deliver types again that have shown no effect of their own; return those that there was no time for.

        The usual ones come alone, as one may undo what another has done before anybody looks.
        """
        until = self._clock.monotonic() + _AGAIN_SECONDS * self._patience
        left = set(types) - set(USUAL_TYPES)
        for type_ in [one for one in types if one in USUAL_TYPES]:
            left |= await self._sift([type_], reactions, self._first_wait, until)
        until = self._clock.monotonic() + _SIFT_SECONDS * self._patience
        return await self._sift([one for one in types if one in left], reactions, self._first_wait, until)

    async def _confirm(self, types: Sequence[str], reactions: dict[str, Reaction]) -> bool:
        """Deliver each type again alone, and else behind what undoes it; whether each had its effect again."""
        for type_ in types:
            wait = self._usual_wait
            await self._clock.sleep(wait)  # for what was delivered before
            again = await self._await_effect(self._begin(type_), ControlEvent(type_), wait)
            if not again.is_handled:
                await self._try(self._begin("undoing"), _UNDOING[0].event)
                await self._clock.sleep(wait)
                again = await self._await_effect(self._begin(type_), ControlEvent(type_), wait)
            reactions[type_] = again
            self._slowest = max(self._slowest, again.seconds if again.is_handled else 0.0)
        return all(reactions[type_].is_handled for type_ in types)

    async def _sift(
        self,
        types: Sequence[str],
        reactions: dict[str, Reaction],
        within: float,
        until: float,
        *,
        behind: ControlEvent | None = None,
    ) -> set[str]:
        """Find those that have an effect, by groups that are halved where one has; return those that were not tried.

        Each group comes ``behind`` an event, which may undo what is in place. A target may change more than once: the
        next group waits until what was seen is over.
        """
        if not types or self._clock.monotonic() > until:
            return set(types)
        if behind is not None:
            await self._await_effect(self._begin(behind.event), behind, within)
            await self._clock.sleep(within)
        if len(types) == 1:
            reaction = await self._await_effect(self._begin(types[0]), ControlEvent(types[0]), within)
            if reaction.is_handled:
                reactions[types[0]] = reaction
                self._slowest = max(self._slowest, reaction.seconds)
                await self._clock.sleep(self._usual_wait)
            return set()
        states, begun = await self._marks.take_states(), self._clock.monotonic()
        for type_ in types:
            await self._try(self._begin(type_), ControlEvent(type_))
        sent = self._clock.monotonic()
        while not (moved := await self._marks.has_changed(states)) and self._clock.monotonic() - sent < within:
            await self._clock.sleep(_WAIT)
        if not moved:
            return set()
        within = min(within, max(_LEAST_WAIT, 2 * (self._clock.monotonic() - begun)))
        await self._clock.sleep(within)
        half = len(types) // 2
        first = await self._sift(types[:half], reactions, within, until, behind=behind)
        return first | await self._sift(types[half:], reactions, within, until, behind=behind)

    async def _try_after_others(self, reactions: dict[str, Reaction]) -> None:
        """Deliver what had no effect again, each behind an event that had one: its state may have been in place."""
        until = self._clock.monotonic() + _AGAIN_SECONDS * self._patience
        handled = [type_ for type_, one in reactions.items() if one.is_handled]
        others = [_UNDOING[0].event, *(ControlEvent(type_) for type_ in dict.fromkeys((*handled[:1], *handled[-1:])))]
        for other in others:
            usual = [type_ for type_ in _find_quiet(reactions) if type_ in USUAL_TYPES]
            await self._sift(usual, reactions, self._usual_wait, until, behind=other)
        until = self._clock.monotonic() + _AGAIN_SECONDS * self._patience
        rest = [type_ for type_ in _find_quiet(reactions) if type_ not in USUAL_TYPES]
        await self._sift(rest, reactions, self._usual_wait, until, behind=others[-1])

    @property
    def _first_wait(self) -> float:
        """How long an effect is waited for, which is as long as the contract says where none was late so far."""
        return self._usual_wait if self._slowest else self._contract.effect_within

    @property
    def _usual_wait(self) -> float:
        """How long an effect is waited for, by how long the others took."""
        return max(_LEAST_WAIT, 2 * self._slowest)

    async def _await_effect(self, trial: Trial, event: ControlEvent, seconds: float) -> Reaction:
        """Deliver an event and wait at most so long for a change in a store."""
        started = self._clock.monotonic()
        return await self._keep_looking(trial, await self._try(trial, event), started, seconds)

    async def _keep_looking(self, trial: Trial, reaction: Reaction, started: float, seconds: float) -> Reaction:
        """Wait at most so long for a change in a store by what was delivered."""
        while reaction.is_accepted and not reaction.tables and self._clock.monotonic() - started < seconds:
            await self._clock.sleep(_WAIT)
            reaction = _describe(reaction.event, await trial.peek(), self._clock.monotonic() - started)
        return reaction

    async def find_control(self, calibration: Calibration) -> ControlEvents | None:
        """Return what has an effect each time that it is delivered, or None where nothing that was tried has."""
        handled = sorted(calibration.handled, key=lambda one: (_only_recorded(calibration, one), _rank(one)))
        for type_ in handled[:_CONTROLS_TRIED]:
            if await self._is_repeatable(ControlEvents(ControlEvent(type_))):
                return ControlEvents(ControlEvent(type_))
        for pair in _UNDOING:
            if all(one.event in handled for one in pair.turns) and await self._is_repeatable(pair):
                return pair
        return None

    async def _is_repeatable(self, events: ControlEvents) -> bool:
        """Whether each of the events has an effect in each round but the first, which may find its state in place."""
        wait = self._usual_wait
        for number in range(_ROUNDS):
            for event in events.turns:
                reaction = await self._await_effect(self._begin(event.event), event, wait)
                settling = number == 0 and events.alternate is not None
                if not reaction.is_handled and not settling:
                    return False
        return True

    async def refuse(self, calibration: Calibration) -> Calibration:
        """Deliver what must be refused, and add what that shows: journals of deliveries, and logs that tell of it."""
        deliveries = self._deliveries
        shown = [await self._look_at(step) for step in (deliveries.forged, deliveries.rubbish)]
        # What is no JSON may end before the target's own code, which then logs nothing of it.
        telling = shown[0].logs
        marks = tuple(
            replace(one, shown_by="refusals")
            if one.channel is Channel.LOG and not one.shown_by and one.source in telling
            else one
            for one in calibration.marks
        )
        # What is not refused may well be state.
        gained = [one.gained if one.is_refused else frozenset() for one in shown]
        if frozenset.intersection(*gained) and calibration.handled:
            genuine = deliveries.genuine(ControlEvent(calibration.handled[0]))
            gained += [one.gained for one in await self._look_at_each(genuine, deliveries.again)]
        journals = frozenset.intersection(*gained) if calibration.handled else frozenset()
        return replace(calibration, marks=marks, journals=tuple(sorted(journals)))

    async def _look_at(self, step: Step) -> "_Shown":
        (shown,) = await self._look_at_each(step)
        return shown

    async def _look_at_each(self, *steps: Step) -> list["_Shown"]:
        """Run steps one after the other, and return what each has shown."""
        trial = self._begin("refusals")
        shown: list[_Shown] = []
        for number, step in enumerate(steps):
            try:
                await trial.act(step)
            except TargetGoneError:
                raise
            except InconclusiveError:  # it closes the connection on what it does not like
                shown.append(_Shown(is_refused=False, gained=frozenset(), logs=frozenset()))
                continue
            await self._clock.sleep(min(max(_WAIT, 2 * self._slowest), self._contract.effect_within))
            shown.append(_show([one for one in await trial.peek() if one.step == number], self._contract))
        return shown


def _find_quiet(reactions: Mapping[str, Reaction]) -> list[str]:
    """Return the types that were accepted and have changed nothing."""
    return [type_ for type_, one in reactions.items() if one.is_accepted and not one.tables]


@dataclass(frozen=True, slots=True)
class _Shown:
    """Whether a delivery was refused, the tables that have gained rows by it and lost none, and the logs with lines."""

    is_refused: bool
    gained: frozenset[str]
    logs: frozenset[str]


def _show(observed: Sequence[Observation], contract: Contract) -> _Shown:
    answers = [one.answer for one in observed if isinstance(one, Exchange)]
    changes = [one for one in observed if isinstance(one, StoreChange)]
    return _Shown(
        all(isinstance(one, Answer) and one.status in contract.rejected for one in answers),
        frozenset(
            f"{change.source}.{table.table}"
            for change in changes
            for table in change.tables
            if not table.removed and not table.rejection_log
        ),
        frozenset(one.source for one in observed if isinstance(one, LogLines) and one.lines),
    )


def _rank(type_: str) -> tuple[bool, bool, int, str]:
    """Return the place of a type: usual ones first, and last what takes away what others are about."""
    usual = USUAL_TYPES.index(type_) if type_ in USUAL_TYPES else len(USUAL_TYPES)
    return type_.endswith(".deleted"), type_.endswith("_reinstated"), usual, type_


def _only_recorded(calibration: Calibration, type_: str) -> bool:
    """Whether an event of a type changes only where the target keeps a record of all events."""
    reaction = calibration.of(type_)
    return reaction is None or frozenset(reaction.tables) <= calibration.recording


def _describe(type_: str, observed: Iterable[Observation], seconds: float) -> Reaction:
    """Return what was observed of one delivery."""
    given = tuple(observed)
    answers = [one.answer for one in given if isinstance(one, Exchange)]
    changes = [one for one in given if isinstance(one, StoreChange)]
    calls = [call for one in given if isinstance(one, StripeCalls) for call in one.calls]
    return Reaction(
        type_,
        answers[-1].status if answers and isinstance(answers[-1], Answer) else None,
        tuple(
            f"{change.source}.{table.table}" for change in changes for table in change.tables if not table.rejection_log
        ),
        tuple(one.source for one in given if isinstance(one, LogLines) and one.lines),
        tuple(f"{call.method} {call.path}" for call in calls),
        seconds,
    )
