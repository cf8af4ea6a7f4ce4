"""Card numbers whose parts stand in neighbouring fields of a record: of JSON, a form, XML, CSV, or one to a line."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from payproof.scan import kernel
from payproof.scan.brands import GROUPINGS, brand_of, known_starts
from payproof.scan.characters import DIGIT
from payproof.scan.names import BEHIND_CARD
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Bits, Places, plane
from payproof.scan.view import Looks, View

__all__ = ["SHAPES", "STREAMS", "find_in_fields"]

_NEAR = 40  # bytes between the parts of a number
_REACH = 5 * (_NEAR + 4)
_MOST = 13  # digits of a part
_TEN = 10
_LEADING = np.array([100_000, 10_000, 1000, 100, 10, 1])

#: Digits in each of the fields that a number is split over.
SHAPES = GROUPINGS | {(8, 8), (6, 6, 4), (6, 10), (6, 9), (12, 4)}

# Not behind a letter, x to z excepted: what is no letter beyond @ is cheaply told from the others only with them.
_part = DIGIT.run(4) & ~DIGIT.behind(1) & (~plane(6) | (plane(4) & plane(3))).behind(1) & ~DIGIT.run(_MOST + 1)

STREAMS: Mapping[str, Bits] = {
    # Behind a card's name, as parts of numbers are everywhere.
    "digits in fields": _part & _part.ahead(5).within(_NEAR) & BEHIND_CARD,
}

_DIGITS = re.compile(rb"[0-9]{3,13}(?![0-9]|[-./:][0-9])")
# No other value stands between two of them: a digit there is the end of a name (card2, parts[2]).
_BETWEEN = re.compile(
    rb"""(?:[^0-9\x7f]|(?<=[A-Za-z_\[-])[0-9]{1,2}(?![0-9])){1,40}?(?<=[=:>"',;|\[(\s])(?=[0-9]{3,13}(?![0-9]))"""
)


def find_in_fields(view: View) -> Iterator[Number]:
    """Return the numbers whose parts begin in fields of a text, those whose check digit is right."""
    looks, reached = Looks(view, "numbers in fields"), 0
    for place in _pick_places(view, view.places("digits in fields")).tolist():
        if place < reached or not looks.may_look(place):
            continue
        for number in _read_from(view, place):
            reached = number.end
            yield number


def _pick_places(view: View, places: Places) -> Places:
    """Return those of some places at which a number could begin, where one field has its leading digits.

    The compiled loop looks at the length and the check digit, too.
    """
    loops = kernel.loops()
    if loops is not None or not places.size:
        return places if loops is None else loops.fields(view.bytes, places, view.end)
    digits = view.rows(places, _LEADING.size).astype(np.int64) - ord("0")
    fewer = ((digits < 0) | (digits >= _TEN)).any(axis=1)
    chosen: Places = places[fewer | (known_starts()[digits.clip(0, _TEN - 1) @ _LEADING] != 0)]
    return chosen


def _read_from(view: View, start: int) -> Iterator[Number]:
    """Return the numbers whose first part begins at a place; of 16 digits and three more both may be right."""
    first, last = view.within(start, start, start + _REACH)
    near = bytes(view.data[first:last])
    digits, sizes, place = "", list[int](), 0
    while part := _DIGITS.match(near, place):
        digits += part[0].decode()
        sizes.append(len(part[0]))
        if tuple(sizes) in SHAPES:
            found = brand_of(digits)
            if found is not None and found[1]:
                yield Number(start, start + part.end(), digits, *found, Writing.FIELDS)
        between = _BETWEEN.match(near, part.end())
        if between is None:
            return
        place = between.end()
