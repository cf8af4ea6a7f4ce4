"""The sieve of rows loses nothing that the exact search of their values finds."""

import base64
from decimal import Decimal
from random import Random

import pytest

from payproof.at_rest.named_values import SievingScanner, scan_named
from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.luhn import check_digit
from payproof.scan.values import scan_values
from tests.at_rest.made import PAN, SECRET

_PARTS = [PAN[:4], PAN[4:8], PAN[8:12], PAN[12:]]
VALUES = {
    "text": PAN,
    "bytes": PAN.encode(),
    "integer": int(PAN),
    "float": float(PAN),
    "decimal": Decimal(PAN),
    "decimal with zeros": Decimal(PAN + ".00"),
    "grouped": " ".join(_PARTS),
    "base64": base64.b64encode(f"card {PAN}".encode()).decode(),
    "utf-16": PAN.encode("utf-16-le"),
    "array": _PARTS,
    "array of digits": list(PAN),
    "split over fields": {"a": _PARTS[0], "b": _PARTS[1], "c": _PARTS[2], "d": _PARTS[3]},
    "nested": {"card": [{"number": int(PAN)}]},
    "json": f'{{"card": {{"number": "{PAN}"}}}}',
    "secret": f"key is {SECRET}",
    "control characters": f"\x00{PAN}\x01",
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("column", ["num", "card_number", "note", "x"])
def test_sieve_loses_nothing(name, column):
    """Among rows of other values, what the exact search of a value finds is found."""
    searcher = SievingScanner(detectors_at_rest(), Confidence.MEDIUM)
    random = Random(1)
    rows = [((f"id={n}", "other"), "other", f"order {n} {random.getrandbits(32)}") for n in range(200)]
    planted = (("planted", column), column, VALUES[name])
    direct = {(place, one.kind) for place, one in scan_values(searcher, [planted]) if isinstance(one, Hit)}
    sieved = {
        (place, one.kind)
        for place, one in scan_named(searcher, [*rows[:100], planted, *rows[100:]])
        if isinstance(one, Hit)
    }
    assert direct
    assert sieved >= direct


@pytest.mark.parametrize(
    ("column", "value", "kind"), [("cvc", 123, "cvc"), ("cvv2", "1234", "cvc"), ("pin", b"1234", "pin")]
)
def test_names_tell_what_values_do_not(column, value, kind):
    """Three digits are a code where their column says so."""
    searcher = SievingScanner(detectors_at_rest(), Confidence.MEDIUM)
    found = [one.kind for _, one in scan_named(searcher, [(("1", column), column, value)])]
    assert found == [kind]


def test_sieve_that_has_had_enough_lets_everything_through():
    """Behind thousands of numbers that are none, told by their names, the one that is one is found."""
    searcher = SievingScanner(detectors_at_rest(), Confidence.MEDIUM)
    rows = [((f"id={n}", "order_id"), "order_id", int(PAN)) for n in range(6000)]
    planted = (("planted", "card_number"), "card_number", PAN)
    found = {place for place, one in scan_named(searcher, [*rows, planted]) if isinstance(one, Hit)}
    assert found == {planted[0]}


@pytest.mark.parametrize("kind", [str, int])
@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("card_1", "card_2", "card_3", "card_4"), True),
        (("id", "card_part_a", "card_part_b", "card_part_c", "card_part_d"), True),
        (("w", "x", "y", "z"), False),
    ],
)
def test_number_in_neighbouring_columns_is_found(columns, found, kind):
    """Parts of a card number in columns side by side are one number where the first is named a card's."""
    searcher = SievingScanner(detectors_at_rest(), Confidence.HIGH)
    body = "400051234567890"
    number = body + check_digit(body)
    parts = [number[index : index + 4] for index in range(0, 16, 4)]
    values = ["1234"] * (len(columns) - 4) + parts
    rows = [
        (((row,), column), column, kind(value))
        for row in range(3)
        for column, value in zip(columns, values, strict=True)
    ]
    hits = [(place, one.kind) for place, one in scan_named(searcher, rows) if isinstance(one, Hit)]
    first = columns[-4]
    assert hits == ([(((row,), first), "pan") for row in range(3)] if found else [])
