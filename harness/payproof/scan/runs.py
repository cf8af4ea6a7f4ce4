"""Card numbers in longer runs of digits that are named a card's: behind zeros, or with more digits around them."""

import re
from collections.abc import Iterator, Mapping

from payproof.scan.brands import LONGEST, brand_of
from payproof.scan.characters import DIGIT
from payproof.scan.context import names_before
from payproof.scan.names import BEHIND_CARD, key_says, name_says
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Bits
from payproof.scan.view import Looks, View

__all__ = ["STREAMS", "find_in_runs"]

_FEWEST, _MOST = 17, 40

STREAMS: Mapping[str, Bits] = {
    "long digits": DIGIT.run(_FEWEST) & ~DIGIT.behind(1) & BEHIND_CARD,
}

_RUN = re.compile(rb"[0-9]*")
_USUAL = (16, 15)  # digits of nearly all cards; of other lengths too many would be right by chance
_EXPIRY = re.compile(r"(?:(?:0[1-9]|1[0-2])[2-4]\d|[2-4]\d(?:0[1-9]|1[0-2]))(?:\d{3,4})?")


def find_in_runs(view: View) -> Iterator[Number]:
    """Return the numbers in runs of digits that are longer than a number, or none themselves."""
    places, looks = view.places("long digits"), Looks(view, "long runs of digits")
    for place, name in zip(places.tolist(), names_before(view, places), strict=True):
        says = name_says(name)
        if not (key_says(view.column(place)) if says is None else says) or not looks.may_look(place):
            continue
        run = _RUN.match(view.data, place, place + _MOST + 1)
        text = run[0].decode() if run else ""
        number = _find_within(text, place) if len(text) <= _MOST else None
        if number is not None:
            yield number


def _find_within(run: str, start: int) -> Number | None:
    whole = brand_of(run) if len(run) <= LONGEST else None
    if whole is not None and whole[1]:
        return None
    bare = run.lstrip("0")
    found = brand_of(bare)
    if found is not None and found[1]:
        return Number(start + len(run) - len(bare), start + len(run), bare, *found, Writing.PADDED)
    known = [
        (first, run[first : first + size], first == 0 and _EXPIRY.fullmatch(run[size:]) is not None)
        for size in _USUAL
        for first in (0, len(run) - size)
    ]
    for first, digits, dated in sorted(known, key=lambda one: not one[2]):
        found = brand_of(digits)
        if found is not None and found[1]:
            writing = Writing.PADDED if dated else Writing.RUN_ON
            return Number(start + first, start + first + len(digits), digits, *found, writing)
    return None
