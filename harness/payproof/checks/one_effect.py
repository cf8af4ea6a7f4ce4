from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_genuine
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, BurstSeen, Channel, Exchange, InstanceKilled, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.shapes import strip_ids
from payproof.domain.spots import spot_of_call, spot_of_column
from payproof.registry import check

__all__ = ["OneEffect"]

_SUCCESS = range(200, 300)
_WRITING = frozenset({"DELETE", "POST"})

#: The deliveries of a step, event by event.
_Tried = Mapping[int, Sequence[list[Exchange]]]


class _Change(NamedTuple):
    """How many rows of a table a step has added and removed; a changed one is both."""

    added: int
    removed: int


_NOTHING = _Change(0, 0)


@check
@dataclass(frozen=True, slots=True)
class OneEffect(Check):
    """Each event has its effect once: where copies come at once or in a burst, a crash cuts them off, or a store fails.

    What that is, the steps show that deliver an event alone: how many rows each table gains by it, and what it asks of
    Stripe that changes something there. A copy that was not accepted comes again, so it is enough that one was.
    """

    name: ClassVar[str] = "one_effect"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table, and for Stripe, where the events did more than they do alone, or less."""
        tried = _group_copies(seen)
        rows = {step: _count_rows(seen, step) for step in _list_steps(seen) | tried.keys()}
        known = tried.keys() | _list_replays(seen)
        singles = [counted for step, counted in rows.items() if step not in known]
        if not any(singles):
            return
        bursts = {one.step: one for one in seen.observations if isinstance(one, BurstSeen)}
        reads = any(one.calls for one in seen.observations if isinstance(one, StripeCalls) and one.step not in known)
        for step, events in tried.items():
            burst, of_one = bursts.get(step), False
            if burst is None:
                yield from self._judge_answers(events)
                accepted = sum(any(one.is_accepted for one in copies) for copies in events)
            else:  # what was refused there came again, which only the numbers tell
                # An event alone stands for one of each type there.
                accepted = burst.accepted // burst.types
                # Who asks Stripe about the one object of them all keeps what it is by then, and once.
                of_one = burst.types == 1 and reads
            mine = rows.get(step, {})
            for place in sorted({place for counted in (*singles, mine) for place in counted}):
                alone = [counted.get(place, _NOTHING) for counted in singles]
                change = mine.get(place, _NOTHING)
                yield from self._judge_table(step, place, change, alone, events=accepted, of_one=of_one)
        yield from self._judge_calls(seen, tried)

    def _judge_answers(self, events: Iterable[list[Exchange]]) -> Iterator[Finding]:
        for copies in events:
            answered = [(one, one.answer.status) for one in copies if isinstance(one.answer, Answer)]
            if answered and not any(one.is_accepted for one in copies):
                told = f"status {', '.join(sorted({str(status) for _, status in answered}))}"
                yield finding_of_genuine(self.name, "that a copy is accepted", told, answered[0][0])

    def _judge_table(
        self, step: int, place: tuple[str, str], change: _Change, alone: list[_Change], *, events: int, of_one: bool
    ) -> Iterator[Finding]:
        most, least = max(one.added for one in alone), min(one.added for one in alone)
        # A row that an event only changes, many change too; one that it makes, each makes.
        is_made = most == least and not any(one.removed for one in alone) and not of_one
        due = least * events if is_made else min(least, events)
        told = f"{place[0]}, table {place[1]}: {change.added} rows added by {events} events"
        spot = spot_of_column(*place)
        if change.added > most * events:
            expected = f"{most * events}, as each event alone adds {most}"
            yield Finding(self.name, expected, told, step, kind=Kind.APPLIED_TWICE, spot=spot)
        elif change.added < due:
            expected = f"{'' if is_made else 'at least '}{due}, as each event alone adds {least}"
            yield Finding(self.name, expected, told, step, kind=Kind.EFFECT_MISSING, spot=spot)

    def _judge_calls(self, seen: Seen, tried: _Tried) -> Iterator[Finding]:
        """Hold what the events asked of Stripe against what one alone does, each key of idempotency once."""
        asked = {one.step: _count_writes(one) for one in seen.observations if isinstance(one, StripeCalls)}
        singles = [counted for step, counted in asked.items() if step not in tried]
        for step, events in tried.items():
            for route, times in sorted(asked.get(step, Counter()).items()):
                most = max((counted[route] for counted in singles), default=0) * len(events)
                if times > most:
                    told, expected = f"{route} done {times} times", f"{most}, as one copy of each event asks for"
                    yield Finding(self.name, expected, told, step, kind=Kind.DONE_TWICE, spot=spot_of_call(route))

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that no step shows what one event does, or that no kill struck a delivery."""
        tried = _group_copies(seen)
        if not _list_steps(seen) - tried.keys() - _list_replays(seen):
            yield "no step delivers an event alone"
        killed = _list_kills(seen)
        if killed and not any(one.cut_off or one.after != "sent" for one in killed):
            yield "no delivery was under way when the instance was killed"

    def note(self, seen: Seen) -> str:
        """Tell how many copies got an answer and within what time they were let go, or how many the kills cut off."""
        if bursts := [one for one in seen.observations if isinstance(one, BurstSeen)]:
            return "; ".join(one.described for one in bursts)
        if killed := _list_kills(seen):
            cut, deliveries = sum(one.cut_off for one in killed), sum(one.deliveries for one in killed)
            return f"{len(killed)} kills, which cut off {cut} of {deliveries} deliveries"
        copies = [one for one in seen.exchanges if one.sent.released is not None]
        if not copies:
            return ""
        answered = sum(isinstance(one.answer, Answer) for one in copies)
        spread = max((one.sent.released or 0.0 for one in copies), default=0.0)
        return f"{answered} of {len(copies)} copies answered, let go within {1000 * spread:.1f} ms"


def _list_steps(seen: Seen) -> set[int]:
    """Return the steps that deliver something and were looked at."""
    delivered = {one.step for one in seen.observations if isinstance(one, Exchange | BurstSeen)}
    return delivered & {one.step for one in seen.changes}


def _list_kills(seen: Seen) -> Sequence[InstanceKilled]:
    return [one for one in seen.observations if isinstance(one, InstanceKilled)]


def _list_replays(seen: Seen) -> set[int]:
    """Return the steps that deliver what an earlier step has delivered already."""
    first: dict[str, int] = {}
    for one in seen.exchanges:
        first.setdefault(one.sent.digest, one.step)
    return {one.step for one in seen.exchanges if first[one.sent.digest] < one.step}


def _group_copies(seen: Seen) -> _Tried:
    """Return the deliveries of each step that sends copies together or kills the target: event by event.

    What is delivered while no store can be looked into counts for the step whose look is the next.
    """
    steps = {one.step for one in seen.exchanges if one.sent.released is not None}
    steps |= {one.step for one in seen.observations if isinstance(one, InstanceKilled | BurstSeen)}
    looks = sorted({one.step for one in seen.changes})
    look_of = {
        one.step: next((look for look in looks if look > one.step), one.step)
        for one in seen.exchanges
        if one.step not in looks
    }
    steps |= set(look_of.values()) & set(looks)
    tried: dict[int, dict[str, list[Exchange]]] = {step: defaultdict(list) for step in sorted(steps)}
    for one in seen.exchanges:
        step = look_of.get(one.step, one.step)
        if step in tried:
            tried[step][one.sent.digest].append(one)
    return {step: list(events.values()) for step, events in tried.items()}


def _count_rows(seen: Seen, step: int) -> Mapping[tuple[str, str], _Change]:
    return {
        (change.source, table.table): _Change(table.added, table.removed)
        for change in seen.changes
        for table in change.tables
        if change.step == step and not table.rejection_log
    }


def _count_writes(calls: StripeCalls) -> Counter[str]:
    """Return how often the target had Stripe change something, by method and path without ids."""
    done = {
        (call.idempotency_key or f"call {call.number}"): f"{call.method} {strip_ids(call.path)}"
        for call in calls.calls
        if call.method in _WRITING and call.backend_status in _SUCCESS
    }
    return Counter(done.values())
