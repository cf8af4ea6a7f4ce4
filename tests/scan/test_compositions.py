"""Whatever a card number is written in, and in whatever order, it is found; what is masked never is."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.brands import BRANDS
from payproof.scan.scanner import DEPTH, Scanner
from tests.effort import examples
from tests.scan._corpus import masked_forms
from tests.scan._writing import BYTE_CODECS, SCRIPTS, SEPARATORS, TEXT_CODECS, WIDE, grouped, pan, spelled

SCANNER = Scanner(detectors_at_rest(), Confidence.LOW)
ENCODINGS = {**TEXT_CODECS, **BYTE_CODECS, **WIDE}
NUMBERS = [(brand, length) for brand in BRANDS for length in brand.lengths]


def encoded(value, names):
    """Write a text in encodings, innermost first; what takes text is left out where there are bytes already."""
    for name in names:
        if name in BYTE_CODECS:
            value = BYTE_CODECS[name](value if isinstance(value, bytes) else value.encode())
        elif isinstance(value, str):
            value = {**TEXT_CODECS, **WIDE}[name](value)
    return value if isinstance(value, bytes) else value.encode()


def shown(hits):
    """Return what is shown of the card numbers among hits."""
    return {hit.shown for hit in hits if isinstance(hit, Hit) and hit.kind == "pan"}


def masked(number):
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


@settings(max_examples=examples(1500))
@given(
    number=st.sampled_from(NUMBERS),
    seed=st.integers(0, 2**32),
    separator=st.sampled_from(["", *SEPARATORS.values()]),
    script=st.sampled_from(list(SCRIPTS)),
    names=st.lists(st.sampled_from(list(ENCODINGS)), max_size=DEPTH),
    around=st.sampled_from(
        [("", ""), ("card number: ", " exp 12/31"), ('{"number": "', '", "n": 12345}'), ("x " * 40, " y" * 40)]
    ),
)
def test_any_number_in_any_composition_of_encodings_is_found(number, seed, separator, script, names, around):
    """A number of any brand, in groups and in any script, is found in any three encodings, one within the other."""
    made = pan(*number, Random(seed))
    written = grouped(spelled(made, SCRIPTS[script]), separator)
    layers = names[: DEPTH - (script != "ascii")]
    bare = script == "ascii" or (script == "full-width" and not WIDE.keys() & set(layers))
    if not bare and (separator or WIDE.keys() & set(layers)):
        # The digits of other scripts show through UTF-16, and in groups through base64, only beside other text.
        around = ('{"event": "charge", "card_number": "', '", "amount": 1200, "currency": "eur"}')
    data = encoded(around[0] + written + around[1], layers)
    assert masked(made) in shown(SCANNER.scan(data)), (written, layers, data)


@settings(max_examples=examples(300))
@given(seed=st.integers(0, 2**32), names=st.lists(st.sampled_from(list(ENCODINGS)), max_size=2), data=st.data())
def test_no_masked_form_is_ever_found(seed, names, data):
    """A masked number is no hit, in no encoding, in no confidence."""
    form = data.draw(st.sampled_from(list(masked_forms(Random(seed)))))
    assert not shown(SCANNER.scan(encoded(form, names))), (form, names)


@pytest.mark.parametrize("name", ENCODINGS)
def test_too_deep_a_value_is_not_searched(name):
    """Decoding ends at the depth that the specification sets, whatever is in the way."""
    made = pan(BRANDS[7], 16, Random(1))
    data = encoded(f"card {made}", ["base64"] * (DEPTH + 1))
    assert not SCANNER.scan(data)
    assert shown(SCANNER.scan(encoded(f"card {made}", [name, "base64"])))
