from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.life_model import counts_writes
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NewestState", "find_telling"]

#: The values that a table's column has, sorted: one for each row.
_Columns = Mapping[tuple[str, str, str], tuple[str, ...]]

_WHOLE, _BEGINNINGS, _LAST = (2, 4), (1, 3), 5  # the steps; the first is there so that the second has what to change


@check
@dataclass(frozen=True, slots=True)
class NewestState(Check):
    """In whatever order events arrive, the target ends in the state that the newest of them tells.

    By turns the steps deliver a whole life in its order and only the beginning of it, so that each has a state to
    change: what differs between the whole ones differs by chance, and the others show what older states look like. The
    step after the last whole one delivers it in another order: a table that then ends as in an older state has lost the
    newest.
    """

    name: ClassVar[str] = "newest_state"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table that ends in an older state."""
        if not any(one.step == _LAST for one in seen.changes):
            return
        ended, stale = _read_columns(seen, _LAST), dict[tuple[str, str], list[str]]()
        for place, (newest, older) in sorted(find_telling(seen).items()):
            source, table, column = place
            values = ended.get(place, ())
            if values != newest and values in older:
                what = f"{column} is {_name(values)}, not {_name(newest)}"
                stale.setdefault((source, table), []).append(what)
        order = ", ".join(one.sent.event for one in seen.exchanges if one.step == _LAST)
        for (source, table), told in stale.items():
            what, spot = "; ".join(told), spot_of_column(source, table)
            ended_so = f"after {order}: {what}"
            expected = "the state of the newest event"
            yield Finding(self.name, expected, ended_so, _LAST, what=what, kind=Kind.STALE_STATE, spot=spot)

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that the events left nothing in any store, or that rows were too many to be told."""
        if any(one.rows is None for one in seen.changes):
            yield "the steps changed too many rows to compare them"
        if not any(one.rows for one in seen.changes):
            yield "the events have left no row in any store, in whatever order they came"

    def note(self, seen: Seen) -> str:
        """Tell that there is no state that could be lost."""
        if find_telling(seen):
            return ""
        return "no column tells the newest state from an older one: what changes is not kept, or Stripe is asked for it"


def _read_columns(seen: Seen, step: int) -> _Columns:
    """Return the values of each column in the rows that a step has left."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for change in seen.changes:
        if change.step == step:
            for row in change.rows or ():
                for column, text in row.cells:
                    found.setdefault((change.source, row.table, column), []).append(text)
    return {place: tuple(sorted(values)) for place, values in found.items()}


def find_telling(seen: Seen) -> dict[tuple[str, str, str], tuple[tuple[str, ...], set[tuple[str, ...]]]]:
    """Return the columns that tell the newest state from an older one: their values in it, and in the older ones.

    A table that has more rows for more events is a journal of them: it holds no state, and neither does a column that
    counts the writes of its row. A row that a step left as it was says nothing, unless none is left in the newest
    state: then the beginning has added the row, and not changed one that was there, such as that of a customer whom the
    target knows already.
    """
    first, again = (_read_columns(seen, step) for step in _WHOLE)
    beginnings = [_read_columns(seen, step) for step in _BEGINNINGS]
    telling = {}
    for place in {*first, *again, *(place for one in beginnings for place in one)}:
        newest = first.get(place, ())
        older = {values for one in beginnings if (values := one.get(place, ()))} - {newest}
        if counts_writes(place[2], {newest, *older}):
            continue
        is_state = newest == again.get(place, ()) and older and all(len(newest) <= len(one) for one in older)
        if is_state and (newest or all(_has_grown(seen, step, place) for step in _BEGINNINGS)):
            telling[place] = newest, older
    return telling


def _has_grown(seen: Seen, step: int, place: tuple[str, str, str]) -> bool:
    """Return whether a table has more rows after a step than before it."""
    source, table, _ = place
    stores = (one for one in seen.changes if (one.step, one.source) == (step, source))
    return any(one.table == table and one.added > one.removed for store in stores for one in store.tables)


def _name(values: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(values)) or "gone"
