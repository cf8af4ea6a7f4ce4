"""Digits that could be a card number: by length, beginning, grouping and check digit, for a whole text at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from harness.scan.brands import (
    BRANDS,
    GROUPINGS,
    LONGEST,
    SHORTEST,
    Brand,
    brand_among,
    brand_of,
    known_lengths,
    known_starts,
)
from harness.scan.characters import DIGIT, HIGH, PUNCTUATION, one
from harness.scan.luhn import word_sums
from harness.scan.streams import Bits, Machine, Places, Program
from harness.scan.view import GUARD, View

__all__ = ["MARGIN", "STREAMS", "Number", "numbers", "prepared"]

#: How much later a place is in what ``prepared`` returns than in the data.
MARGIN = len(GUARD)

_first = DIGIT & ~DIGIT.behind(1)
_long = DIGIT.run(SHORTEST)
_four = DIGIT.run(4)
_between = DIGIT.behind(1) & DIGIT.ahead(1)
_joint = _between & (PUNCTUATION | one("_"))
_wide = (HIGH | PUNCTUATION).ahead(4) & (_four.ahead(6) | _four.ahead(7))  # a separator of two or three bytes
_SPLIT = 40  # bytes between the parts of a number that is split over fields

_quote = one('"')
_quoted = [_quote & DIGIT.run(size).ahead(1) & _quote.ahead(size + 1) for size in (4, 6, 8)]
_odd = DIGIT | (_between & (one(" ") | one("-")))

#: What this module needs to know of each byte.
STREAMS: Mapping[str, Bits] = {
    "digits": _first & _long,
    # Groups of 4, 4 and any number of digits; of 4, 6 and any; of 4 and at least 8; of 4 and 4 after a wide separator.
    "groups of digits": _first
    & _four
    & ((_joint.ahead(4) & _four.ahead(5) & (_joint.ahead(9) | _joint.ahead(11) | _four.ahead(9))) | _wide),
    # Groups of any size: at least 13 digits and one separator.
    "odd groups of digits": _odd.run(14) & ~_odd.behind(1) & ~_long,
    # Four digits in quotes, and four or six soon after them; eight and eight.
    "split digits": (_quoted[0] & (_quoted[0] | _quoted[1]).ahead(6).within(_SPLIT))
    | (_quoted[2] & _quoted[2].ahead(10).within(_SPLIT)),
}

_GAP = re.compile(rb"[ \t./_+-]|\r?\n|\xc2\xa0|\xe2\x80[\xaf\x93\x94]")
_GAPS = b" \t\r\n./_+-\xc2\xa0\xe2\x80\xaf\x93\x94"
_GROUP = re.compile(rb"\d{1,19}")


@dataclass(frozen=True, slots=True)
class Number:
    """Digits in a brand's range; ``luhn`` tells whether the check digit is right, ``usual`` whether the grouping is."""

    start: int
    end: int
    digits: str
    brand: Brand
    luhn: bool
    usual: bool


def prepared(data: bytes, more: Mapping[str, Bits] = MappingProxyType({})) -> View:
    """Return a text as a view that knows this module's streams and some more, for a detector that is asked alone."""
    program = Program({**STREAMS, **more}) if more else _program()
    return View(GUARD + data + GUARD, Machine((program,), len(data) + 2 * MARGIN))


@cache
def _program() -> Program:
    return Program(STREAMS)


def numbers(view: View) -> tuple[Number, ...]:
    """Return every number in a brand's range that has the right check digit, or whose brand does without."""
    known: tuple[Number, ...] | None = view.made.get("numbers")
    if known is None:
        known = view.made["numbers"] = tuple(_numbers(view))
    return known


def _numbers(view: View) -> Iterator[Number]:
    starts = view.places("digits")
    if starts.size:
        yield from _plain(view, starts)
    places = np.concatenate((view.places("groups of digits"), view.places("odd groups of digits")))
    if places.size:
        yield from _in_groups(view, np.sort(places))
    yield from _split(view)


_NIBBLES, _TEN, _EIGHT = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(10), np.uint64(8)
_PAIRS, _SIXTEEN, _HUNDRED = np.uint64(0x000000FF000000FF), np.uint64(16), np.uint64(100)
_HIGH_PAIRS, _LOW_PAIRS, _HALF = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001), np.uint64(32)
_ZEROS, _ABOVE_NINE = np.uint64(0x3030303030303030), np.uint64(0x7676767676767676)
_LOW_BITS, _TOP_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_ONE, _BYTE = np.uint64(1), np.uint64(255)
_UNCHECKED = np.uint32(sum(1 << bit for bit, brand in enumerate(BRANDS) if not brand.luhn))


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


def _plain(view: View, starts: Places) -> Iterator[Number]:
    """Return the numbers without separators."""
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
    chosen = np.flatnonzero(valid | (brands & _UNCHECKED != 0))
    columns = (each[chosen].tolist() for each in (starts, ends, brands, valid))
    for start, end, bits, luhn in zip(*columns, strict=True):
        brand = brand_among(bits, luhn=luhn)
        assert brand is not None
        yield Number(start, end, view.data[start:end].decode(), brand, luhn, usual=True)


_FIELDS = re.compile(rb'"\d{4,8}"(?:\s*,\s*(?:"[^"\\]{1,24}"\s*:\s*)?"\d{3,8}"){1,4}')
_FIELD = re.compile(rb'"(\d{3,8})"(?!\s*:)')


def _split(view: View) -> Iterator[Number]:
    """Return the numbers whose parts are texts in neighbouring fields or entries of JSON."""
    reached = 0
    for place in view.places("split digits").tolist():
        fields = _FIELDS.match(view.data, place)
        if fields is None or place < reached:
            continue
        digits, start = "", place + 1
        for part in _FIELD.finditer(fields[0]):
            digits += part[1].decode()
            found = brand_of(digits) if part.start() else None
            if found is not None and found[1]:
                reached = place + part.end() - 1
                yield Number(start, reached, digits, *found, usual=False)


@cache
def _plausible() -> npt.NDArray[np.bool_]:
    """Return, for each first and second byte of a number in groups, whether a brand's numbers begin so."""
    table = np.zeros((256, 256), np.bool_)
    starts: npt.NDArray[np.bool_] = np.logical_or.reduce(known_starts().reshape(10, 10, -1), axis=2)
    table[48:58] = np.logical_or.reduce(starts, axis=1)[:, None]  # the second byte may be a separator
    table[48:58, 48:58] = starts
    return table


def _in_groups(view: View, places: Places) -> Iterator[Number]:
    first = view.words(places)
    reached = 0
    for place in places[_plausible()[first & _BYTE, (first >> _EIGHT) & _BYTE]].tolist():
        if place >= reached:
            for number in _grouped(view.data, place):
                yield number
                reached = number.end


def _grouped(data: bytes | bytearray, start: int) -> list[Number]:
    """Return the numbers whose groups begin at a place: those in the usual groups, else the first other one.

    Of 16 digits and three more both numbers may be right, of which the three may be a code.
    """
    near = bytes(data[start : start + 64])
    leading = near.translate(None, _GAPS)[:6]
    if not leading.isdigit() or not known_starts()[int(leading)]:
        return []
    usual: list[Number] = []
    sizes: list[int] = []
    gaps: list[bytes] = []
    digits, place, other = "", 0, None
    while (group := _GROUP.match(near, place)) and len(digits) <= LONGEST:
        digits += group[0].decode()
        sizes.append(len(group[0]))
        found = brand_of(digits) if len(sizes) > 1 else None
        if found is not None:
            breaks = [gap for gap in gaps if b"\n" in gap]
            even = len(breaks) <= 1 and len(set(gaps) - set(breaks)) <= 1
            number = Number(start, start + group.end(), digits, *found, usual=even and tuple(sizes) in GROUPINGS)
            if number.luhn and number.usual:
                usual.append(number)
            if not breaks:  # what one line ends and the next one begins with is joined only where the groups say so
                other = other or number
        gap = _GAP.match(near, group.end())
        if not gap:
            break
        gaps.append(gap[0])
        place = gap.end()
    return usual or ([other] if other else [])
