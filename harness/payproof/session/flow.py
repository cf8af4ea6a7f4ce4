"""Plays one payment flow on a target, act by act, and tells after each what Stripe and what the target shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from payproof.checks.agrees import Agrees, find_compared
from payproof.domain.context import Context
from payproof.domain.flow import Act, FlowMoment
from payproof.domain.observation import (
    PERIOD_END,
    Answer,
    EntitlementSeen,
    Exchange,
    NoAnswer,
    Observation,
    RowSeen,
    StoreChange,
    StripeState,
)
from payproof.domain.seen import Seen
from payproof.domain.step import Step
from payproof.errors import InconclusiveError, Reason
from payproof.session.flows import all_flows
from payproof.session.run import Session
from payproof.steps.grant import perform_before
from payproof.steps.play import deliver_event, tell_state
from payproof.steps.play_access import find_of_subscriptions, is_granting, name_subject_of, see_access
from payproof.stripe.flows import Player, play

__all__ = ["ActDone", "play_flow"]

_AGREES = Agrees()
#: What stands in the place of other things than ids.
_NO_IDS = frozenset({"{id}", "{time}", f"{{{PERIOD_END}}}"})
#: What a period's end is called in a row that was written while another period was paid.
_EARLIER = "{end of an earlier period}"


@dataclass(frozen=True, slots=True)
class ActDone:
    """What one act has led to.

    ``at`` is the time by Stripe's clock in Unix seconds. ``delivered`` are the events with what they were answered,
    ``changed`` the rows that the target has written. ``moment`` is the one that the flow has come to with this act, if
    it is one; then ``differs`` says where the target shows another state than Stripe's, ``compared`` which columns were
    compared, and ``access`` whether the customer has what a subscription gives, where the target file says how that is
    seen. Access is compared at the last moment only: before that the target's own clock is ahead of Stripe's.
    """

    act: Act
    at: int
    state: StripeState
    delivered: tuple[tuple[str, str], ...]
    changed: tuple[RowSeen, ...]
    moment: str = ""
    compared: str = ""
    differs: tuple[str, ...] = ()
    access: str = ""


@dataclass(frozen=True, slots=True)
class _Perform(Step):
    """Does one thing at Stripe and delivers the events of it."""

    name: ClassVar[str] = "perform"
    shows_rows: ClassVar[bool] = True
    player: Player
    act: Act
    moment: FlowMoment | None

    async def run(self, context: Context) -> Sequence[Observation]:
        """Act, then deliver in Stripe's order."""
        player, entitlement = self.player, find_of_subscriptions(context.target)
        if not player.ids:
            if entitlement is not None:
                await perform_before(context, entitlement, "subject")
                player.subject = name_subject_of(context)
            await player.begin()
        await play(player, self.act)
        exchanges = [await context.send(deliver_event(context, one)) for one in await player.take_events()]
        state = await player.read_state()
        if self.moment is not None and (difference := player.find_difference(self.moment, state)):
            detail = f"flow {player.flow.name}, {self.moment.name}: {difference}"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        number = exchanges[-1].step if exchanges else 0
        told = tell_state(number, player, "" if self.moment is None else self.moment.name, state)
        if self.moment is None or entitlement is None or not told.find("subscription"):
            return [*exchanges, told]
        return [*exchanges, told, await see_access(context, entitlement, player, told)]


@dataclass(slots=True)
class _ShownRows:
    """The rows of the flow that a target has shown so far, the last of each."""

    rows: dict[tuple[str, str, tuple[str, ...]], list[RowSeen]] = field(default_factory=dict)
    period_end: str | None = None

    def add(self, changes: Sequence[StoreChange], state: StripeState) -> None:
        """Take in what an act has changed; what tells of an earlier period is marked as such."""
        ends = [one.read(PERIOD_END) for one in state.find("subscription")]
        if ends and ends[-1] != self.period_end:
            self.period_end = ends[-1]
            self.rows = {key: [_age(row) for row in rows] for key, rows in self.rows.items()}
        fresh: dict[tuple[str, str, tuple[str, ...]], list[RowSeen]] = {}
        for change in changes:
            for row in change.rows or ():
                ids = tuple(text for _, text in row.cells if _is_id(text))
                fresh.setdefault((change.source, row.table, ids), []).append(row)
        self.rows |= fresh

    def show(self) -> list[StoreChange]:
        """Return all rows, as if one act had written them."""
        sources = dict.fromkeys(source for source, _, _ in self.rows)
        return [
            StoreChange(
                0, source, (), rows=tuple(row for (of, _, _), rows in self.rows.items() if of == source for row in rows)
            )
            for source in sources
        ]


def _age(row: RowSeen) -> RowSeen:
    cells = tuple((column, _EARLIER if text == f"{{{PERIOD_END}}}" else text) for column, text in row.cells)
    return replace(row, cells=cells)


def play_flow(session: Session, name: str) -> Iterator[ActDone]:
    """Play a flow on an open target; by Stripe's clock it ends now.

    Raises:
        ConfigurationError: the target is production.
        InconclusiveError: Stripe refuses an act, or a source cannot be read.
    """
    flow, trial, known = all_flows()[name], session.trial(f"flow {name}"), _ShownRows()
    context = trial.context
    player = Player.ending(context.flows.account, flow, context.target.subject, flow.moments, context.clock.now())
    number = 0
    for moment in flow.moments:
        for place, act in enumerate(moment.acts, start=1):
            reached = moment if place == len(moment.acts) else None
            session.act(trial, _Perform(player, act, reached))
            session.look(trial, ())
            mine = [one for one in trial.observations if one.step == number or isinstance(one, StripeState)]
            number += 1
            is_last = reached is flow.moments[-1]
            yield _tell(session, act, mine, known, reached, is_last=is_last)


def _tell(
    session: Session,
    act: Act,
    observed: Sequence[Observation],
    known: _ShownRows,
    moment: FlowMoment | None,
    *,
    is_last: bool,
) -> ActDone:
    state = next(one for one in reversed(observed) if isinstance(one, StripeState))
    changes = [one for one in observed if isinstance(one, StoreChange)]
    known.add(changes, state)
    answers = tuple((one.sent.event, _describe(one)) for one in observed if isinstance(one, Exchange))
    ignored = {table.table for change in changes for table in change.tables if table.rejection_log}
    rows = tuple(row for change in changes for row in change.rows or () if row.table not in ignored and _is_own(row))
    done = ActDone(act, state.at, state, answers, rows)
    if moment is None:
        return done
    seen = Seen(session.target.contract, (*known.show(), replace(state, step=0)))
    differs = tuple(f"{one.what}" for one in _AGREES.judge(seen))
    compared, access = find_compared(seen), next((one for one in observed if isinstance(one, EntitlementSeen)), None)
    if access is None:
        return replace(done, moment=moment.name, compared=", ".join(compared), differs=differs)
    statuses = {one.read("status") for one in state.find("subscription")}
    if is_last and statuses != {"past_due"}:
        compared.append("access")
        if access.granted != is_granting(state):
            differs += (f"access is {_name(granted=access.granted)}, though the subscription is {statuses.pop()}",)
    shown = f"{_name(granted=access.granted)} ({access.told})"
    return replace(done, moment=moment.name, compared=", ".join(compared), differs=differs, access=shown)


def _name(*, granted: bool) -> str:
    return "granted" if granted else "not granted"


def _is_own(row: RowSeen) -> bool:
    """Whether a row is about an object of the flow, and not about an event, of which it would tell nothing new."""
    texts = {text for _, text in row.cells}
    return "{evt}" not in texts and any(map(_is_id, texts))


def _is_id(text: str) -> bool:
    """Whether a cell holds an id of the flow, by the name that stands in its place."""
    return text.startswith("{") and text.endswith("}") and text not in _NO_IDS and " " not in text


def _describe(exchange: Exchange) -> str:
    match exchange.answer:
        case Answer(status=status):
            return str(status)
        case NoAnswer(reason=reason):
            return reason.value
