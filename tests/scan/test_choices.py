"""What is chosen for all of a text at once, by arrays, is what a look at each value would choose."""

import unicodedata
from base64 import b64encode
from itertools import cycle, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan import cards, groups
from payproof.scan.context import surely_joined
from payproof.scan.digits import find_numbers, prepare_view
from payproof.scan.joins import Join, find_joint
from payproof.scan.scanner import Scanner
from tests.scan._mixed import BESIDE, NAMED, mixed
from tests.scan._writing import SEPARATORS


def test_what_is_asked_for_is_all_that_is_as_sure():
    """A search for what is believed finds what one for everything finds and believes."""
    text = mixed(1200)
    by_level = {level: Scanner(detectors_at_rest(), level).scan(text) for level in Confidence}
    pans = [one for one in by_level[Confidence.LOW] if one.kind == "pan"]
    for level, found in by_level.items():
        expected = [one for one in pans if one.confidence.rank >= level.rank]
        assert [one for one in found if one.kind == "pan"] == expected, level
        assert expected


@given(before=st.lists(st.sampled_from([*BESIDE, *NAMED]), max_size=3), after=st.lists(st.sampled_from(BESIDE)))
def test_numbers_that_are_not_likely_are_not_believed(before, after):
    """What arrays leave out is joined to what stands beside it or named as something else: low, or nothing."""
    data = f"{''.join(before)}4000051234567894{''.join(after)}".encode()
    view = prepare_view(data)
    every = {number.start: number for number in find_numbers(view)}
    likely = {number.start for number in find_numbers(view, cards.find_likely)}
    for number in every.values():
        confidence, _ = cards.rate_card_number(view.data, number)
        if number.start not in likely:
            assert confidence in {None, Confidence.LOW}
    places = np.array(list(every), np.int64)
    ends = np.array([number.end for number in every.values()], np.int64)
    for number, joined in zip(every.values(), surely_joined(view, places, ends).tolist(), strict=True):
        if joined:
            assert find_joint(view.data, number.start, number.end).join is not Join.FREE


_PARTS = st.lists(
    st.sampled_from(["4000", "0512", "3456", "7894", "4242", "378282", "246310", "005", "1", "62", "5555555555554"])
    | st.integers(0, 10**19).map(str),
    min_size=1,
    max_size=20,
)


@given(parts=_PARTS, gaps=st.lists(st.sampled_from([*SEPARATORS.values(), "  ", "x", ", "]), min_size=1, max_size=6))
def test_groups_that_are_passed_over_hold_no_number(parts, gaps):
    """Where arrays see no brand's beginning, length and check digit, a look at each group sees no number either."""
    text = "".join(part + gap for part, gap in zip(parts, cycle(gaps))).encode()
    data = text + b"\x7f" * 64
    places = [place for place in range(len(text)) if text[place : place + 1].isdigit()]
    rows = np.array([list(data[place : place + 64]) for place in places], np.uint8)
    chosen = {places[row] for row in groups._pick_rows(rows).tolist()}
    assert {place for place in places if groups._read_groups(data, place)} <= chosen


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_digits_of_other_scripts_are_never_decimal_digits_in_base64(encoding):
    """No six bytes in a row of any script's digits are eight decimal digits, so such are not decoded."""
    zeros = [code for code in range(128, 0x110000) if unicodedata.decimal(chr(code), None) == 0]
    assert len(zeros) > 60
    for zero in zeros:
        for three in product(range(10), repeat=3):
            data = "".join(chr(zero + digit) for digit in three).encode(encoding)
            for start in range(len(data) - 5):
                assert not b64encode(data[start : start + 6]).isdigit(), (hex(zero), three)
