"""Bodies that an operation is not to take: one thing is wrong at a time, and what is sent can be recognised."""

import json
from typing import get_args

import pytest

from payproof.fuzzing.invalid import Invalid, invalid_bodies

SOUND = {"customer": "cus_1", "amount": 500, "currency": "usd", "card": "pm_1"}
TEXT = "pp0123456789x000001"
KINDS = get_args(Invalid)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_bodies_of_its_own(kind):
    """Each body is told apart by what is wrong, and none is the sound one."""
    made = list(invalid_bodies(kind, SOUND, TEXT))
    assert made
    assert len({what for what, _, _ in made}) == len(made)
    assert json.dumps(SOUND).encode() not in [body for _, _, body in made]


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"no_json", "missing", "nesting", "twice", "characters"}))
def test_one_field_is_wrong_at_a_time(kind):
    """All other fields are as they should be, so that what is refused is refused for that one."""
    for what, _, body in invalid_bodies(kind, SOUND, TEXT):
        text = body.decode()
        wrong = what.partition(" is ")[0]
        others = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in SOUND.items() if name != wrong]
        assert all(one in text for one in others), what


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("amounts", {"amount"}), ("currency", {"currency"}), ("nulls", set(SOUND)), ("sql", set(SOUND))],
)
def test_only_fields_of_the_sort_are_wrong(kind, fields):
    """An amount is a number or is called so; a currency is called so."""
    assert {what.partition(" is ")[0] for what, _, _ in invalid_bodies(kind, SOUND, TEXT)} == fields


def test_what_cannot_be_wrong_has_no_bodies():
    """A body without amounts has none that are wrong; one without fields has no wrong field."""
    assert not list(invalid_bodies("amounts", {"customer": "cus_1"}, TEXT))
    assert not list(invalid_bodies("types", {}, TEXT))


@pytest.mark.parametrize("kind", ["types", "sql", "templates", "long", "characters", "no_json"])
def test_texts_are_recognised(kind):
    """Where a text can stand, it is one that the run knows again."""
    assert any(TEXT.encode() in body for _, _, body in invalid_bodies(kind, SOUND, TEXT))
