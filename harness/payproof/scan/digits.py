"""Digits that could be a card number: by length, beginning, grouping and check digit, for a whole text at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from payproof.scan import fields, kernel, runs, wraps
from payproof.scan.brands import SHORTEST, UNCHECKED, brand_among, known_lengths, known_starts
from payproof.scan.characters import DIGIT, HIGH, PUNCTUATION, one
from payproof.scan.groups import find_in_groups
from payproof.scan.luhn import word_sums
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Bits, Machine, Places, Program, plane
from payproof.scan.view import GUARD, Looks, View

__all__ = ["MARGIN", "STREAMS", "Choose", "Number", "find_numbers", "prepare_view"]

#: How much later a place is in what ``prepared`` returns than in the data.
MARGIN = len(GUARD)

_b0, _b1, _b2, _b3 = (plane(number) for number in range(4))
_first = DIGIT & ~DIGIT.behind(1)
_long = DIGIT.run(SHORTEST)
_four = DIGIT.run(4)
_between = DIGIT.behind(1) & DIGIT.ahead(1)
_sign = PUNCTUATION | one("_")
_joint = _between & _sign
_wide = (HIGH | _sign).ahead(4) & _four.ahead(6).within(4)  # a separator of two to five bytes
_odd = DIGIT | (_between & (one(" ") | one("-")))

#: What this module needs to know of each byte.
STREAMS: Mapping[str, Bits] = {
    # No brand's numbers begin with 0 or 7, and of those with 1 none has fewer than fifteen digits.
    "digits": _first & _long & (_b3 | (_b2 ^ (_b1 & _b0)) | (_b1 & ~_b2) | (_b0 & _long.ahead(3))),
    # Groups of 4, 4 and any number of digits; of 4, 6 and any; of 4 and at least 8; of 4 and 4 with a wide separator.
    "groups of digits": _first
    & _four
    & (
        (
            _joint.ahead(4)
            & _four.ahead(5)
            & (_joint.ahead(9) | _joint.ahead(11) | _four.ahead(9) | _wide.ahead(5) | _wide.ahead(7))
        )
        | _wide
    ),
    # Groups of any size: at least 13 digits and one separator.
    "odd groups of digits": _odd.run(14) & ~_odd.behind(1) & ~_long,
    **fields.STREAMS,
    **wraps.STREAMS,
    **runs.STREAMS,
}


@dataclass(frozen=True, slots=True)
class _Plain:
    """The numbers without separators, a row each: places, brands as bits, whether the check digit is right."""

    starts: Places
    ends: Places
    brands: npt.NDArray[np.uint32]
    valid: npt.NDArray[np.bool_]


#: Says of numbers without separators, by where they begin and end, which of them are asked for.
Choose = Callable[[View, Places, Places], npt.NDArray[np.bool_]]


def prepare_view(data: bytes, more: Mapping[str, Bits] = MappingProxyType({})) -> View:
    """Return a text as a view that knows this module's streams and some more, for a detector that is asked alone."""
    program = Program({**STREAMS, **more}) if more else _program()
    return View(GUARD + data + GUARD, Machine((program,), len(data) + 2 * MARGIN))


@cache
def _program() -> Program:
    return Program(STREAMS)


def find_numbers(view: View, chosen: Choose | None = None) -> Iterator[Number]:
    """Return every number in a brand's range that has the right check digit, or whose brand does without.

    Of those without separators, which are the most, only those that are ``chosen`` are made.
    """
    plain: _Plain | None = view.made.get("plain numbers")
    if plain is None:
        plain = view.made["plain numbers"] = _find_plain(view, view.places("digits"))
    if plain.starts.size:
        rows = slice(None) if chosen is None else np.flatnonzero(chosen(view, plain.starts, plain.ends))
        columns = (each[rows].tolist() for each in (plain.starts, plain.ends, plain.brands, plain.valid))
        looks = Looks(view, "numbers like a card's")
        for start, end, bits, luhn in zip(*columns, strict=True):
            if not looks.may_look(start):
                continue
            brand = brand_among(bits, luhn=luhn)
            assert brand is not None
            yield Number(start, end, view.data[start:end].decode(), brand, luhn, Writing.PLAIN)
    others: tuple[Number, ...] | None = view.made.get("other numbers")
    if others is None:
        places = np.concatenate((view.places("groups of digits"), view.places("odd groups of digits")))
        others = view.made["other numbers"] = (
            *find_in_groups(view, np.sort(places)),
            *fields.find_in_fields(view),
            *wraps.find_wrapped(view),
            *runs.find_in_runs(view),
        )
    yield from others


_NIBBLES, _TEN, _EIGHT = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(10), np.uint64(8)
_PAIRS, _SIXTEEN, _HUNDRED = np.uint64(0x000000FF000000FF), np.uint64(16), np.uint64(100)
_HIGH_PAIRS, _LOW_PAIRS, _HALF = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001), np.uint64(32)
_ZEROS, _ABOVE_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_LOW_BITS, _TOP_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_ONE = np.uint64(1)


def _leading_six(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the number that the first six of eight ASCII digits say; after D. Lemire, Quickly parsing eight digits."""
    digits = words & _NIBBLES
    tens = digits * _TEN + (digits >> _EIGHT)
    value = ((tens & _PAIRS) * _HIGH_PAIRS + ((tens >> _SIXTEEN) & _PAIRS) * _LOW_PAIRS) >> _HALF
    return (value // _HUNDRED).astype(np.int64)


def _leading_digits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.integer]:
    """Return how many of the eight bytes of each word, from the lowest on, are digits before one is not."""
    others = words ^ _ZEROS
    others = (((others & _LOW_BITS) + _ABOVE_NINE) | others) & _TOP_BITS
    return np.bitwise_count((others - _ONE) & ~others) >> 3


def _find_plain(view: View, starts: Places) -> _Plain:
    """Return the numbers without separators."""
    loops = kernel.loops()
    if loops is not None:
        return _Plain(*loops.numbers(view.bytes, starts))
    brands = known_starts()[_leading_six(view.words(starts))]
    known = np.flatnonzero(brands)
    starts, brands = starts[known], brands[known]
    lengths = SHORTEST + _leading_digits(view.words(starts, SHORTEST)).astype(np.int64)  # 20 where there are more
    brands &= known_lengths()[lengths]
    known = np.flatnonzero(brands)
    starts, lengths, brands = starts[known], lengths[known], brands[known]
    ends = starts + lengths
    total = word_sums(view.words(ends, -8))
    for back in (16, 24):
        # What stands before the first digit is shifted out, in two halves, as a shift by 64 is undefined.
        half = (np.clip(back - lengths, 0, 8) << 2).astype(np.uint64)
        total += word_sums(view.words(ends, -back) >> half >> half << half << half)
    valid = total % _TEN == 0
    right = np.flatnonzero(valid | (brands & UNCHECKED != 0))
    return _Plain(starts[right], ends[right], brands[right], valid[right])
