"""What is chosen for all of a text at once, by arrays or compiled steps, is what a look at each value would choose."""

import pickle
import unicodedata
from base64 import b64encode
from itertools import cycle, product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.finding import Confidence
from harness.registry import detectors_at_rest
from harness.scan import cards, groups, scanner
from harness.scan.brands import BRANDS, TEST_NUMBERS
from harness.scan.compiled import engine
from harness.scan.context import Edge, edge_after, edge_before, surely_joined
from harness.scan.digits import numbers, prepared
from harness.scan.scanner import Scanner
from harness.scan.streams import Machine
from tests.scan._corpus import masked_forms
from tests.scan._logs import clean_lines
from tests.scan._writing import SEPARATORS, grouped, pan

BESIDE = ["", "x", "7", "_", "a_", "%20", "\\n", "\\u0022", "\x1b[0m", "=3D", "**", "xx", ".", "4.", "+", "=", " "]
NAMED = ['{"number": "', "order_id=", "card: ", "trace_id ", '"dd.trace_id": "', "amount=", "[", "pan>", ""]


def logs(count=6000):
    """Return clean log lines with numbers of every brand among them, in groups and not, as they are and masked."""
    random = Random(5)
    lines = []
    for line in clean_lines(5, count):
        brand = random.choice(BRANDS)
        number = pan(brand, random.choice(brand.lengths), random)
        written = grouped(number, random.choice(["", *SEPARATORS.values()]))
        around = random.choice(NAMED), random.choice(BESIDE), random.choice(BESIDE)
        lines.append(line + f"{around[0]}{around[1]}{written}{around[2]}\n".encode())
    lines += (one.encode() for one in masked_forms(random))
    lines += (f"order_id={number}\n".encode() for number in TEST_NUMBERS)
    return b"".join(lines)


def test_compiled_steps_give_the_bits_of_those_in_numpy():
    """Every expression of every detector and codec is true of the same bytes, compiled and not, whatever they are."""
    assert engine() is not None, "llvmlite is one of the development's dependencies"
    programs = Scanner(detectors_at_rest())._programs
    most = 3 * 65536 + 100
    machines = [Machine(programs, most, compiled=compiled) for compiled in (False, True)]
    log, noise = logs(), Random(6).randbytes(most)
    for text in (log[:most], noise, log[most : most + 70_001], b"\xff" * 5000, b"4" * most, b"", noise[:64]):
        for machine in machines:
            machine.load(np.frombuffer(text, np.uint8))
        for program in programs:
            for name in program.outputs:
                one, other = (machine.places(name).tolist() for machine in machines)
                assert one == other, (name, len(text))


def test_what_is_found_is_the_same_compiled_and_not(monkeypatch):
    """A text is searched with the same result compiled, not compiled, and where nothing can be compiled."""
    text = logs() * 2
    found = Scanner(detectors_at_rest()).scan(text)
    assert found
    assert Scanner(detectors_at_rest(), compiled=True).scan(text) == found
    monkeypatch.setattr("harness.scan.streams.engine", lambda: None)
    assert Scanner(detectors_at_rest(), compiled=True).scan(text) == found


def test_what_is_asked_for_is_all_that_is_as_sure():
    """A search for what is believed finds what one for everything finds and believes."""
    text = logs(1200)
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
    view = prepared(data)
    every = {number.start: number for number in numbers(view)}
    likely = {number.start for number in numbers(view, cards.likely)}
    for number in every.values():
        confidence, _ = cards.believed(view.data, number)
        if number.start not in likely:
            assert confidence in {None, Confidence.LOW}
    places = np.array(list(every), np.int64)
    ends = np.array([number.end for number in every.values()], np.int64)
    for number, joined in zip(every.values(), surely_joined(view, places, ends).tolist(), strict=True):
        if joined:
            assert {edge_before(view.data, number.start), edge_after(view.data, number.end)} != {Edge.FREE}


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
    chosen = {places[row] for row in groups._promising(rows).tolist()}
    assert {place for place in places if groups._grouped(data, place)} <= chosen


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


def test_scanner_compiles_where_it_is_asked_to_and_for_large_texts_only():
    """Compiling takes time and memory: small texts are not worth it, and nobody gets it unasked."""
    for compiled in (False, True):
        one = pickle.loads(pickle.dumps(Scanner(detectors_at_rest(), compiled=compiled)))
        assert [one._machine(size)._engine is not None for size in scanner._SIZES] == [False, False, compiled]
