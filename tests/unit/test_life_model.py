"""The states of an object's life, and the orders in which its events are tried."""

import pytest

from payproof.domain.life_model import LifeModel, read_columns
from payproof.domain.observation import RowSeen
from payproof.fuzzing.orders import explore_orders

STATES = ("active", "past_due", "active", "canceled")


def columns(status, *journal, plan="team"):
    """Return what rows say of a subscription, with a journal of its events."""
    rows = [RowSeen("subs", (("id", "{sub}"), ("status", status), ("plan", plan)))]
    return read_columns([*rows, *(RowSeen("events", (("type", one),)) for one in journal)])


def model(**second):
    """Return the model of two lives."""
    life = [columns(state, *STATES[:number]) for number, state in enumerate(STATES, start=1)]
    return LifeModel(life, [columns(state, *STATES[:n], **second) for n, state in enumerate(STATES, start=1)])


def test_what_tells_the_state_is_learnt():
    """A column that stays the same, differs by chance or belongs to a journal tells nothing."""
    assert model().columns == ("subs.status",)
    assert model(plan="other").columns == ("subs.status",)
    changing = [columns(state, plan=str(number)) for number, state in enumerate(STATES)]
    by_chance = [columns(state, plan=str(-number)) for number, state in enumerate(STATES)]
    assert LifeModel(changing, changing).columns == ("subs.plan", "subs.status")
    assert LifeModel(changing, by_chance).columns == ("subs.status",)
    written = [read_columns([RowSeen("subs", (("lock_version", str(n)),))]) for n in range(3)]
    assert LifeModel(written, written).columns == ()


@pytest.mark.parametrize(
    ("newest", "status", "told"),
    [
        (4, "canceled", ""),
        (4, "past_due", "subs.status is past_due, not canceled"),
        (3, "past_due", "subs.status is past_due, not active"),
        (2, "active", ""),  # as it is after the third: a target may have asked Stripe
        (2, "canceled", ""),
        (4, "a word that no event has led to", ""),
    ],
)
def test_older_states_are_stale(newest, status, told):
    """The state of the newest event is right, and so is a later one; what no event leads to is no older state."""
    assert "; ".join(model().find_stale(newest, columns(status)).values()) == told


def test_a_row_that_is_gone_is_a_state():
    """Where the end of a life removes its row, a row that is there is an older state."""
    life = [columns("active"), columns("past_due"), {}]
    states = LifeModel(life, life)
    assert states.find_stale(3, {}) == {}
    assert states.find_stale(3, columns("past_due")) == {
        ("subs", "id"): "subs.id is {sub}, not gone",
        ("subs", "plan"): "subs.plan is team, not gone",
        ("subs", "status"): "subs.status is past_due, not gone",
    }


@pytest.mark.parametrize("seed", range(5))
def test_smallest_order_is_found(seed):
    """Of a target that takes what comes last for the newest, an order of three or four deliveries shows it."""
    states = model()

    def try_order(order):
        come = {}
        for place, (life, number) in enumerate(order, start=1):
            seen = come.setdefault(life, set())
            seen.add(number)
            is_whole = len(seen) == max(seen) > 1
            if is_whole and states.find_stale(max(seen), columns(STATES[number - 1])):
                return place
        return 0

    found = explore_orders(try_order, events=4, lives=2, examples=10, steps=8, random_seed=seed)
    assert len(found) in {3, 4}
    assert {life for life, _ in found} == {0}
    assert try_order(found) == len(found)


def test_nothing_is_found_where_nothing_is_wrong():
    """Each order is tried once, and each event of a life that begins is in it."""
    tried = []
    assert (
        explore_orders(lambda order: tried.append(order) or 0, events=3, lives=2, examples=20, steps=6, random_seed=1)
        == ()
    )
    assert len({*tried}) == len(tried) > 10
    assert all({number for of, number in order if of == 0} == {1, 2, 3} for order in tried)
    assert any(len({life for life, _ in order}) == 2 for order in tried)
