"""Shows of each source whether it is the right one: by the ids of what was delivered, or as it moves with deliveries.

A source that shows ids is the right one. One that does not may still be: the log of a target that writes no ids gains a
line of each delivery, or of each that is handled, or of each that is refused, and a store of plain states changes with
them. It counts where it is still while nothing is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from payproof.domain.calibration import Reaction, SourceMark
from payproof.domain.observation import Channel
from payproof.domain.source import Log, Snapshot, Store
from payproof.domain.target import SourceSpec
from payproof.engine.ports import Clock
from payproof.engine.source_reads import find_position, read_lines, take_snapshot

__all__ = ["SourceMarks"]

_IDS_OF_EACH = 2  # of each delivery: the event's own and its object's
_ALMOST_ALL, _FEW = 0.9, 2
_STILL_SECONDS, _WAIT = 0.3, 0.1


class SourceMarks:
    """The sources of a target while events are delivered to it; ``foreign`` are ids that were known before."""

    def __init__(
        self,
        stores: Sequence[tuple[Store, SourceSpec]],
        logs: Sequence[Log],
        clock: Clock,
        *,
        foreign: Iterable[str],
        seconds: float,
    ) -> None:
        self._stores, self._logs, self._clock, self._seconds = stores, logs, clock, seconds
        self._foreign = frozenset(foreign)
        self._before: list[Snapshot] = []
        self._positions: list[Any] = []

    def own_ids(self, ids: Iterable[str]) -> Sequence[str]:
        """Return the ids by which a delivery is recognised."""
        return [one for one in ids if one not in self._foreign][:_IDS_OF_EACH]

    async def begin(self) -> None:
        """Remember the state of each source."""
        self._before = await self.take_states()
        self._positions = [await find_position(log, self._seconds) for log in self._logs]

    async def take_states(self) -> list[Snapshot]:
        """Return the state of each store."""
        return [await take_snapshot(store, (), None, self._seconds) for store, _ in self._stores]

    async def has_changed(self, states: Sequence[Snapshot]) -> bool:
        """Whether a store differs from an earlier state of it."""
        for (store, spec), before in zip(self._stores, states, strict=True):
            if _changed_tables(before, await take_snapshot(store, (), before, self._seconds), spec):
                return True
        return False

    async def wait(
        self, quiet: Mapping[str, Sequence[str]], seconds: float
    ) -> tuple[Mapping[str, tuple[tuple[str, ...], float]], bool]:
        """Watch the stores for so long, and return what showed late.

        Returns the tables, and after how long, of each type whose ids stand in what has changed, and whether something
        has changed that no id explains.
        """
        started = self._clock.monotonic()
        ids = [one for of in quiet.values() for one in of]
        before = [await take_snapshot(store, ids, None, self._seconds) for store, _ in self._stores]
        late: dict[str, tuple[tuple[str, ...], float]] = {}
        unexplained = False
        while (waited := self._clock.monotonic() - started) < seconds:
            await self._clock.sleep(_WAIT)
            for number, (store, spec) in enumerate(self._stores):
                after = await take_snapshot(store, ids, before[number], self._seconds)
                changed = _changed_tables(before[number], after, spec)
                rows = [row.data for row in after.fresh]
                of = {type_ for type_, own in quiet.items() if any(one.encode() in row for one in own for row in rows)}
                for type_ in of:
                    known, _ = late.get(type_, ((), 0.0))
                    late[type_] = tuple(dict.fromkeys((*known, *changed))), waited
                unexplained = unexplained or (bool(changed) and not of)
                before[number] = after
        return late, unexplained

    async def end(self, ids: Sequence[str], reactions: Sequence[Reaction]) -> tuple[SourceMark, ...]:
        """Return how each source shows the deliveries that have led to these reactions, with these ids of their own."""
        marks = [one.encode() for one in ids]
        found: list[SourceMark] = []
        positions = [await find_position(log, self._seconds) for log in self._logs]
        states = [await take_snapshot(store, ids, None, self._seconds) for store, _ in self._stores]
        await self._clock.sleep(_STILL_SECONDS)
        for (store, spec), before, state in zip(self._stores, self._before, states, strict=True):
            after = await take_snapshot(store, ids, before, self._seconds)
            still = not _changed_tables(state, await take_snapshot(store, ids, state, self._seconds), spec)
            if any(mark in row.data for row in after.fresh for mark in marks):
                found.append(SourceMark(Channel.STORE, store.name, "ids"))
            else:
                moved = still and bool(_changed_tables(before, after, spec))
                found.append(SourceMark(Channel.STORE, store.name, "changes" if moved else ""))
        for log, begun, position in zip(self._logs, self._positions, positions, strict=True):
            if any(mark in line.data for line in await read_lines(log, begun, self._seconds) for mark in marks):
                found.append(SourceMark(Channel.LOG, log.name, "ids"))
            else:
                still = not await read_lines(log, position, self._seconds)
                moved = still and _moves_with(log.name, reactions)
                found.append(SourceMark(Channel.LOG, log.name, "changes" if moved else ""))
        return tuple(found)


def _moves_with(log: str, reactions: Sequence[Reaction]) -> bool:
    """Whether a log has gained lines with almost all deliveries, or with all that were handled."""
    moved = [one for one in reactions if log in one.logs]
    handled = [one for one in reactions if one.is_handled]
    with_all = len(moved) >= max(1.0, _ALMOST_ALL * len(reactions))
    return with_all or (len(handled) >= _FEW and all(one in moved for one in handled))


def _changed_tables(before: Snapshot, after: Snapshot, spec: SourceSpec) -> tuple[str, ...]:
    """Return the tables (``store.table``) that differ, but for those that change by themselves."""
    names = sorted((before.tables.keys() | after.tables.keys()) - {*spec.ignore, *spec.rejection_log})
    return tuple(f"{spec.name}.{one}" for one in names if before.tables.get(one, {}) != after.tables.get(one, {}))
