"""Card numbers that the end of a line cuts in two, with or without groups."""

import re
from collections.abc import Iterator, Mapping
from itertools import product

from payproof.scan.brands import GROUPINGS, brand_of
from payproof.scan.characters import DIGIT, one
from payproof.scan.names import BEHIND_CARD
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Bits
from payproof.scan.view import Looks, View

__all__ = ["STREAMS", "find_wrapped"]

_REACH = 40  # bytes on either side of an end of a line

_digit_before = DIGIT.behind(1) | DIGIT.behind(2) | DIGIT.behind(3)
STREAMS: Mapping[str, Bits] = {
    # Behind a card's name, as other lines end and begin with digits, too.
    "wrapped digits": one("\n")
    & _digit_before
    & ~one("-").ahead(5)  # a date
    & DIGIT.ahead(1).within(5)
    & BEHIND_CARD,
}

# Reads backwards, from the end of the line.
_LEFT = re.compile(rb"\r?[ =\\-]{0,2}(?P<digits>[0-9]+(?:[ -][0-9]+)*)")
# Dates, addresses and times begin lines everywhere, and no number goes on so.
_RIGHT = re.compile(rb"[ \t>]*(?![0-9]{4}-[0-9]{2}-|[0-9]{1,3}[.:])(?P<digits>[0-9]+(?:[ -][0-9]+)*)")
_GROUP = re.compile(rb"[0-9]+")


def find_wrapped(view: View) -> Iterator[Number]:
    """Return the numbers that the end of a line cuts in two, those whose check digit is right."""
    looks = Looks(view, "numbers over the end of a line")
    for place in view.places("wrapped digits").tolist():
        first, last = view.within(place, place - _REACH, place + 1 + _REACH)
        right = _RIGHT.match(bytes(view.data[place + 1 : last]))
        left = _LEFT.match(bytes(view.data[first:place])[::-1]) if right else None
        if right is None or left is None or not looks.may_look(place):
            continue
        begin, end = place - left.end(), place + 1 + right.start("digits")
        heads = [(begin + one.start(), one[0].decode()) for one in _GROUP.finditer(left["digits"][::-1])]
        tails = [(end + one.end(), one[0].decode()) for one in _GROUP.finditer(right["digits"])]
        yield from _join_groups(heads[-4:], tails[:4])


def _join_groups(heads: list[tuple[int, str]], tails: list[tuple[int, str]]) -> Iterator[Number]:
    """Return the numbers that the last groups of a line and the first of the next one are, read in either way."""
    for begin, count in product(range(len(heads)), range(1, len(tails) + 1)):
        groups = [text for _, text in heads[begin:]], [text for _, text in tails[:count]]
        sizes = [[len(text) for text in part] for part in groups]
        merged = (*sizes[0][:-1], sizes[0][-1] + sizes[1][0], *sizes[1][1:])
        if len(merged) > 1 and not {merged, (*sizes[0], *sizes[1])} & GROUPINGS:
            continue
        digits = "".join(groups[0] + groups[1])
        found = brand_of(digits)
        if found is not None and found[1]:
            yield Number(heads[begin][0], tails[count - 1][0], digits, *found, Writing.WRAPPED)
