from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["SameEffect"]

#: What a column without a value says; where a language has no null, as Go, a field that is missing is its zero.
_NOTHING = frozenset({"", "None", "null", "{}", "[]", "0"})

_USUAL, _LAST = (1, 3), 5  # the steps; those between bring the state back


@check
@dataclass(frozen=True, slots=True)
class SameEffect(Check):
    """An event in the shape of another API version has its whole effect, or is refused.

    The steps deliver the same beginning of a life three times, at last in the other shape. A column that has a value
    both times before, and none then, has lost it; unless one of the same name elsewhere has got it, as who mirrors
    Stripe's objects keeps what has moved from one to another.
    """

    name: ClassVar[str] = "same_effect"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which something is missing, or one where nothing came at all."""
        last = [one for one in seen.exchanges if one.step == _LAST]
        if not last or not all(one.is_accepted for one in last):
            return
        usual = [_list_filled(seen, step) for step in _USUAL]
        filled = _list_filled(seen, _LAST)
        moved = {column for _, _, column in filled - usual[0] - usual[1]}
        due = {place for place in usual[0] & usual[1] if place in filled or place[2] not in moved}
        what = f"after {', '.join(one.sent.event for one in last)} of the other version"
        for source, table in sorted({place[:2] for place in due}):
            spot = spot_of_column(source, table)
            missing = sorted(place[2] for place in due - filled if place[:2] == (source, table))
            if not any(place[:2] == (source, table) for place in filled):
                told = f"{what}: accepted, and no row in {table} of {source}"
                expected = "the effect of the same event, or a refusal"
                yield Finding(self.name, expected, told, _LAST, kind=Kind.EFFECT_MISSING, spot=spot)
            elif missing:
                told = f"{what}: accepted, and nothing in {', '.join(missing)}"
                expected = f"a value in each column of {table} that the same event fills, or a refusal"
                yield Finding(self.name, expected, told, _LAST, kind=Kind.EFFECT_LESSENED, spot=spot)

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that the events left nothing in any store, or that rows were too many to be told."""
        if any(one.rows is None for one in seen.changes):
            yield "the steps changed too many rows to compare them"
        elif not set.intersection(*(_list_filled(seen, step) for step in _USUAL)):
            yield "the events have left no row in any store in their usual shape"


def _list_filled(seen: Seen, step: int) -> set[tuple[str, str, str]]:
    """Return the columns that have a value in a row that a step has left; the keys of a document are the version's."""
    return {
        (change.source, row.table, column)
        for change in seen.changes
        if change.step == step
        for row in change.rows or ()
        for column, text in row.cells
        if "." not in column and text not in _NOTHING
    }
