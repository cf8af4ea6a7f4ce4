"""What is watched is found by column, in values of any type."""

import json
from decimal import Decimal

import pytest

from payproof.engine.watching import Watch


def watching():
    """Watch the last four digits as a word, and a year as all that a value says."""
    watch = Watch()
    watch.add("last four", 0, ["4821"], whole=False)
    watch.add("expiry", 0, ["34", "07/34"], whole=True)
    watch.add("id", 0, ["evt_1"], whole=True)
    return watch


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("4821", {("c", "last four")}),
        (b"4821", {("c", "last four")}),
        (4821, {("c", "last four")}),
        (4821.0, {("c", "last four")}),
        (Decimal(4821), {("c", "last four")}),
        ("VISA **** 4821, 12 months", {("c", "last four")}),
        ("14821", set()),
        ("34", {("c", "expiry")}),
        (34, {("c", "expiry")}),
        ("34 months", set()),
        (" 07/34 ", {("c", "expiry")}),
        ({"card": {"last": "4821"}}, {("c.card.last", "last four")}),
        (json.dumps([{"last": 4821, "id": "evt_1"}]), {("c.last", "last four"), ("c.id", "id")}),
        (json.dumps({"a": json.dumps({"b": "4821"})}), {("c.a.b", "last four")}),
        ("{not JSON 4821", {("c", "last four")}),
        (["x", "4821"], {("c", "last four")}),
        (True, set()),
        (None, set()),
        (b"\xff\xfe", set()),
    ],
)
def test_values_are_watched_whatever_their_type(value, found):
    """A watched value is seen as a number, a text, a word of one, and under the key of JSON that it stands under."""
    assert {(name, attribute) for name, attribute, _ in watching().matches("c", value)} == found


def test_nested_without_end_is_not_followed():
    """What is nested deeper than anybody keeps data is left alone, and costs no error."""
    value: object = "4821"
    for _ in range(500):
        value = [value]
    assert not [one for one in watching().matches("c", value) if one[1] == "expiry"]


def test_ids_are_marks():
    """Each thing that was offered has to leave its id."""
    assert watching().marks == {0}
