"""Rows as checks and the record are shown them."""

import json

from payproof.domain.observation import RowSeen
from payproof.engine.rows import show_rows

NOW = 1_800_000_000
SUB, EVENT = "sub_1AbCdEfGhIjKlMnOpQrStUv", "evt_1AbCdEfGhIjKlMnOpQrStUv"


def shown(*cells, ids=(SUB, EVENT)):
    return show_rows(cells, ids, NOW)


def test_what_differs_by_chance_is_replaced():
    """Ids of the step, times about now and random ids are replaced; a time that is far off is a value."""
    (row,) = shown(
        ("subs", "id", SUB),
        ("subs", "note", f"of {EVENT}"),
        ("subs", "at", "2027-01-15T08:00:00.123+00:00"),
        ("subs", "seconds", str(NOW - 5)),
        ("subs", "milliseconds", str(NOW * 1000)),
        ("subs", "ends", str(NOW + 30 * 86_400)),
        ("subs", "key", "0190163d-8694-739b-aea5-966c26f8ad91"),
        ("subs", "status", "active"),
    )
    assert dict(row.cells) == {
        "id": "{sub}",
        "note": "of {evt}",
        "at": "{time}",
        "seconds": "{time}",
        "milliseconds": "{time}",
        "ends": str(NOW + 30 * 86_400),
        "key": "{id}",
        "status": "active",
    }


def test_rows_are_told_apart():
    """A column for the second time, or another table, begins a row."""
    rows = shown(("a", "id", SUB), ("a", "n", "1"), ("a", "id", SUB), ("a", "n", "2"), ("b", "id", SUB))
    assert rows == (
        RowSeen("a", (("id", "{sub}"), ("n", "1"))),
        RowSeen("a", (("id", "{sub}"), ("n", "2"))),
        RowSeen("b", (("id", "{sub}"),)),
    )


def test_what_others_do_is_not_shown():
    """A row without an id of the step, and a long text, are shown as digests, which are the same for the same text."""
    one, two, three, four = shown(
        ("people", "name", "Somebody"),
        ("people", "name", "Somebody"),
        ("people", "name", "Another"),
        ("subs", "id", f"{SUB} {'x' * 100}"),
    )
    assert one == two != three
    assert "Somebody" not in str(one)
    assert "xxx" not in str(four)


def test_too_many_rows():
    """Beyond 200 rows nothing is shown, which is not the same as no row."""
    assert len(shown(*(("a", "id", SUB) for _ in range(200)))) == 200
    assert shown(*(("a", "id", SUB) for _ in range(201))) is None
    assert shown() == ()


def test_documents_are_shown_by_value():
    """Of a JSON document each value is a cell, with its keys; what only begins like one is a text."""
    document = json.dumps({"id": SUB, "status": "active", "items": [{"n": 1}, {"n": 2}], "made": NOW})
    (row,) = shown(("subs", "data", document), ("subs", "note", f"{{ {SUB}"))
    assert row.cells == (
        ("data.id", "{sub}"),
        ("data.items.n", "1"),
        ("data.items.n", "2"),
        ("data.made", "{time}"),
        ("data.status", "active"),
        ("note", "{ {sub}"),
    )
