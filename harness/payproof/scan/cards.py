"""How surely a number is a card number: by its brand, how it is written and what stands around it."""

import re

import numpy as np
import numpy.typing as npt

from payproof.domain.finding import Confidence
from payproof.scan import kernel
from payproof.scan.brands import TEST_NUMBERS
from payproof.scan.context import key_before, name_before, names_before, surely_joined
from payproof.scan.joins import Join, Joint, find_joint
from payproof.scan.names import REACH, beside, key_says, name_says, say, tells
from payproof.scan.number import Number, Writing
from payproof.scan.streams import Places
from payproof.scan.view import View

__all__ = ["find_likely", "mask_digits", "rate_card_number"]

_SHORTEST_WORD = 4  # letters; fewer are the beginning of an id, or a unit
_WORDS = re.compile(r"[^A-Za-z]+")
_SMALL, _ODD = np.uint8(0x20), np.uint8(1)  # makes letters small; sets 1 apart from 0
_SIGNS = np.zeros(256, np.bool_)
_SIGNS[list(b" \t\r\n\f\v|,;:/=_-")] = True  # before an expiry date
_TEST_NUMBERS = frozenset(number.encode() for number in TEST_NUMBERS)
_NAMED, _WORDS_TELL, _NOTHING = range(3)  # the evidence
_LEVELS = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)

#: How surely a number is a card's, as an index above: where it is named so, where words beside it tell, where nothing
#: does.
_WRITTEN = {
    Writing.PLAIN: (2, 2, 1),
    Writing.PRINTED: (2, 2, 2),
    Writing.SPACED: (2, 2, 1),
    Writing.ODD: (1, 1, 0),
    Writing.FIELDS: (2, 1, 0),
    Writing.WRAPPED: (2, 1, 0),
    Writing.PADDED: (2, 0, 0),
    Writing.RUN_ON: (1, 0, 0),
}
_IN_RUNS = (Writing.PADDED, Writing.RUN_ON)
_JOINED = {Join.WORDS: (2, 1, 1), Join.DIGITS: (2, 1, 0), Join.FREE: (2, 2, 2)}


def find_likely(view: View, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Return which numbers without separators may be believed more than the least.

    Not what is in the middle of an id, and not what is named something else, unless a card's other data is beside it.
    """
    data, result = view.data, ~surely_joined(view, starts, ends)
    for row in np.flatnonzero(~result).tolist():
        result[row] = find_joint(data, starts[row], ends[row]).join is not Join.INSIDE
    rows = np.flatnonzero(result)
    names = names_before(view, starts[rows])
    others = rows[np.array([name_says(name) is False for name in names], np.bool_)]
    result[others] = _may_be_beside(view, starts[others], ends[others])
    for row in others[result[others]].tolist():
        result[row] = beside(data, starts[row], ends[row])
    for row in others[~result[others]].tolist():
        result[row] = bytes(data[starts[row] : ends[row]]) in _TEST_NUMBERS
    return result


def _may_be_beside(view: View, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Return beside which numbers there may be a card's other data: what begins with exp, cv, csc or ecu, or a date."""
    loops = kernel.loops()
    if loops is not None:
        return loops.beside(view.bytes, starts, ends)
    after = view.rows(ends, REACH)
    found: npt.NDArray[np.bool_] = ((after[:, 1:4] | _ODD) == ord("1")).any(axis=1) & _SIGNS[after[:, 0]]
    for near in (view.rows(starts, REACH, -REACH) | _SMALL, after | _SMALL):
        first, second, third = near[:, :-2], near[:, 1:-1], near[:, 2:]
        words = (second == ord("x")) & (third == ord("p"))
        words |= (first == ord("c")) & ((second == ord("v")) | ((second == ord("s")) & (third == ord("c"))))
        words |= (first == ord("e")) & (second == ord("c")) & (third == ord("u"))
        found |= words.any(axis=1)
    return found


def rate_card_number(
    data: bytes | bytearray, number: Number, column: str = "", at_least: Confidence = Confidence.LOW
) -> tuple[Confidence | None, str]:
    """Return how surely a number is a card's, None for never, and the name that stands before it, if it may be shown.

    ``column`` is what the place as a whole is called, where the text does not say it: a database's column. What is
    less sure than ``at_least`` is never.
    """
    confidence = _rate(data, number, column, at_least.rank)
    if confidence is None or confidence.rank < at_least.rank:
        return None, ""
    return confidence, key_before(data, number.start).shown


def _rate(data: bytes | bytearray, number: Number, column: str, asked: int) -> Confidence | None:
    if number.writing in _IN_RUNS:  # which are looked at only where they are named
        return _LEVELS[_WRITTEN[number.writing][_NAMED]]
    tie = find_joint(data, number.start, number.end)
    if tie.join in {Join.MASKED, Join.INSIDE}:
        return Confidence.LOW if tie.join is Join.INSIDE and number.luhn else None
    if number.digits in TEST_NUMBERS and tie.join is not Join.DIGITS:
        return Confidence.CERTAIN
    levels = _list_levels(number, tie)
    if levels[_NAMED] < asked - Confidence.LOW.rank:
        return None
    evidence = _find_evidence(data, number, column, tie)
    if evidence is None:
        return Confidence.LOW if number.luhn else None
    level = levels[evidence] - (not number.luhn and evidence != _NAMED)
    return _LEVELS[level] if level >= 0 else None


def _list_levels(number: Number, tie: Joint) -> list[int]:
    """Return how surely a number is a card's, as indices of levels, for each sort of evidence."""
    if len(number.digits) in number.brand.weak and number.brand.name == "UATP":
        return [0, 0, 0]
    writing = number.writing
    if writing is Writing.PRINTED and not number.luhn:
        writing = Writing.SPACED
    levels = [min(each) for each in zip(_WRITTEN[writing], _JOINED[tie.join], strict=True)]
    weak = len(number.digits) in number.brand.weak and writing is not Writing.PRINTED
    short = tie.join is Join.WORDS and sum(map(str.isalpha, tie.before + tie.behind)) < _SHORTEST_WORD
    if weak or short:
        levels[_NOTHING] = 0
    return levels


def _find_evidence(data: bytes | bytearray, number: Number, column: str, tie: Joint) -> int | None:
    """Return the evidence that a number is a card's; None where it has another name and nothing says more."""
    glued = _WORDS.sub(" ", f"{tie.before} {tie.behind}").encode()
    first = number.start - len(tie.before)
    says = name_says(glued)
    if says is None and say(glued):
        says = True
    if says is None:
        says = name_says(name_before(data, first))
    if says is None:
        says = key_says(column)
    if says:
        return _NAMED
    if beside(data, number.start, number.end):
        return _NAMED
    if says is False:
        return _NOTHING if number.writing is Writing.PRINTED and number.luhn and tie.join is Join.FREE else None
    return _WORDS_TELL if tells(data, number.start, number.end) else _NOTHING


def mask_digits(digits: str) -> str:
    """Return the first six and last four digits (PCI DSS 3.4.1), the others hidden."""
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"
