"""Numbers in groups of digits that could be a card's: few of many, chosen at once."""

import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

from payproof.scan import kernel
from payproof.scan.brands import (
    GROUPINGS,
    LONGEST,
    SHORTEST,
    UNCHECKED,
    brand_of,
    known_lengths,
    known_starts,
)
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Places
from payproof.scan.view import Looks, View

__all__ = ["find_in_groups"]

_GAP = re.compile(rb"(?:[ \t./_+-]|\r?\n|\xc2\xa0|\xe2\x80[\xaf\x93\x94]){1,5}")
#: What people and printers set between groups; more spaces, tabs and slashes are a table's, or a list's.
_PRINTED = re.compile(
    rb"[ +]|%(space)s|[._-]{1,3}|(?: |%(space)s)?(?:[._-]|\xe2\x80[\x93\x94])(?: |%(space)s)?"
    % {b"space": rb"(?:\xc2\xa0|\xe2\x80\xaf){1,2}"}
)
_GAPS = b" \t\r\n./_+-\xc2\xa0\xe2\x80\xaf\x93\x94"
_GROUP = re.compile(rb"\d{1,19}")


_BYTE, _EIGHT = np.uint64(255), np.uint64(8)
_REACH = 64  # bytes that a number in groups may take
_AT_ONCE = 8192  # places that are looked at together
_OTHER = 11  # what is neither a digit (0 to 9) nor part of a separator (10)
_KINDS = np.full(256, _OTHER, np.uint8)
_KINDS[48:58] = np.arange(10)
_KINDS[list(_GAPS)] = 10
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], np.uint8)
_PLACES = np.array([0, 100_000, 10_000, 1000, 100, 10, 1, 0], np.int32)  # of the first six digits, by their number


@cache
def _plausible() -> npt.NDArray[np.bool_]:
    """Return, for each first and second byte of a number in groups, whether a brand's numbers begin so."""
    table = np.zeros((256, 256), np.bool_)
    starts: npt.NDArray[np.bool_] = np.logical_or.reduce(known_starts().reshape(10, 10, -1), axis=2)
    table[48:58] = np.logical_or.reduce(starts, axis=1)[:, None]  # the second byte may be a separator
    table[48:58, 48:58] = starts
    return table


def find_in_groups(view: View, places: Places) -> Iterator[Number]:
    """Return the numbers whose groups begin at some of the places."""
    loops = kernel.loops()
    reached, looks = 0, Looks(view, "numbers in groups")
    for place in (_pick_places(view, places) if loops is None else loops.groups(view.bytes, places)).tolist():
        if place >= reached and looks.may_look(place):
            for number in _read_groups(view.data, place):
                yield number
                reached = number.end


def _pick_places(view: View, places: Places) -> Places:
    """Return the places at which there could be a number, by arrays."""
    first = view.words(places)
    places = places[_plausible()[first & _BYTE, (first >> _EIGHT) & _BYTE]]
    parts = [places[begin : begin + _AT_ONCE] for begin in range(0, len(places), _AT_ONCE)]
    return np.concatenate([places[:0], *(part[_pick_rows(view.rows(part, _REACH))] for part in parts)])


def _pick_rows(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return which rows could hold a number: where a group ends, a brand's beginning, length and check digit.

    Whatever bytes of separators stand between the groups, they pass: that is looked at number by number.
    """
    kind = _KINDS[rows]
    other = kind == _OTHER
    length = np.where(other.any(axis=1), other.argmax(axis=1), _REACH)
    kind[np.arange(_REACH) >= length[:, None]] = _OTHER
    digit = kind < _OTHER - 1
    count = digit.cumsum(axis=1, dtype=np.uint8)
    ends = digit & (count >= SHORTEST) & (count <= LONGEST)
    ends[:, :-1] &= ~digit[:, 1:]
    likely = np.flatnonzero(ends.any(axis=1))
    if not likely.size:
        return likely
    kind, count, digit, ends = kind[likely], count[likely], digit[likely], ends[likely]
    kind[~digit] = 0
    bits = known_starts()[(kind * _PLACES[np.minimum(count, _PLACES.size - 1)]).sum(axis=1)]
    # The sum where every digit at an odd place from the left is doubled, and where every other one is.
    odd = count & 1
    doubled = _DOUBLED[kind]
    sums = (
        np.where(odd, doubled, kind).cumsum(axis=1, dtype=np.uint8),
        np.where(odd, kind, doubled).cumsum(axis=1, dtype=np.uint8),
    )
    row, column = np.nonzero(ends)
    size = count[row, column]
    fitting = bits[row] & known_lengths()[size]
    total = np.where(size & 1, sums[1][row, column], sums[0][row, column])
    right = (fitting != 0) & ((total % 10 == 0) | (fitting & UNCHECKED != 0))
    chosen: npt.NDArray[np.intp] = likely[np.unique(row[right])]
    return chosen


def _read_groups(data: bytes | bytearray, start: int) -> list[Number]:
    """Return the numbers whose groups begin at a place: those in the usual groups, else the first other one.

    Of 16 digits and three more both numbers may be right, of which the three may be a code.
    """
    near = bytes(data[start : start + _REACH])
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
            end = start + group.end()
            writing = _find_writing(data, start, end, gaps) if tuple(sizes) in GROUPINGS else Writing.ODD
            number = Number(start, end, digits, *found, writing)
            if number.luhn and writing is not Writing.ODD:
                usual.append(number)
            # What one line ends and the next one begins with is joined only where the groups say so.
            if not any(b"\n" in gap for gap in gaps):
                other = other or number
        gap = _GAP.match(near, group.end())
        if not gap:
            break
        gaps.append(gap[0])
        place = gap.end()
    return usual or ([other] if other else [])


def _find_writing(data: bytes | bytearray, start: int, end: int, gaps: list[bytes]) -> Writing:
    """Return how a number in groups of the usual sizes is written."""
    breaks = [gap for gap in gaps if b"\n" in gap]
    if len(breaks) == len(gaps):
        return Writing.WRAPPED if len(set(gaps)) == 1 else Writing.ODD
    if len(breaks) > 1 or len(set(gaps) - set(breaks)) > 1:
        return Writing.ODD
    (gap,) = set(gaps) - set(breaks)
    printed = _PRINTED.fullmatch(gap)
    # Before and behind a row of a table there are more of its columns.
    before, after = data[start - len(gap) - 2 : start], data[end : end + len(gap) + 4]
    more = (before.endswith(gap) and before[1:2].isdigit()) or (after.startswith(gap) and after[len(gap) :].isdigit())
    if printed and not breaks and not more:
        return Writing.PRINTED
    return Writing.ODD if more and (breaks or not printed) else Writing.SPACED
