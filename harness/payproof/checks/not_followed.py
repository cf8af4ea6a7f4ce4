from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, Counted
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NotFollowed"]

_FIRST, _LAST = frozenset({"first six", "first eight"}), "last four"
#: Sensitive authentication data, which nobody may keep (PCI DSS 3.3.1).
_AUTHENTICATION = frozenset({"CVC"})


@check
@dataclass(frozen=True, slots=True)
class NotFollowed(Check):
    """No column gains each value of something that was offered, unless the contract lists it with a reason.

    The ends of a card number may each be kept alone; ``together`` looks for columns that hold both ends of one number
    between them (PCI DSS 3.5.1: truncated forms of one number must not be put together).
    """

    name: ClassVar[str] = "not_followed"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type] = Counted
    together: bool = False

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each column that follows, or for each two that hold both ends."""
        follows = [one for one in seen.follows() if not seen.keeps(one.table, one.column)]
        if not self.together:
            for one in follows:
                what = f"{one.attribute} of each card in store {one.source}, table {one.table}, column {one.column}"
                kind = Kind.CARD_DATA if one.attribute in _AUTHENTICATION else Kind.CARD_FACTS
                spot = spot_of_column(one.source, one.table, one.column)
                told, expected = what, "no column for it"
                yield Finding(self.name, expected, told, one.step, what=one.attribute, kind=kind, spot=spot)
            return
        firsts = [one for one in follows if one.attribute in _FIRST]
        lasts = [one for one in follows if one.attribute == _LAST]
        for first, last in product(firsts, lasts):
            # Both in one column are one truncated form, which the standard allows.
            if (first.source, first.table, first.column) != (last.source, last.table, last.column):
                what = (
                    f"{first.attribute} in store {first.source}, table {first.table}, column {first.column} and "
                    f"{last.attribute} in store {last.source}, table {last.table}, column {last.column}"
                )
                spot = spot_of_column(last.source, last.table, last.column)
                expected = "no two parts of one card number"
                yield Finding(self.name, expected, what, last.step, kind=Kind.CARD_PARTS, spot=spot)
