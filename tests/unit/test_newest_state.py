"""Whether a target ends in the newest state, judged by the rows that lives of an object leave."""

import pytest

from payproof.checks.newest_state import NewestState
from payproof.domain.kind import Kind
from payproof.domain.observation import RowSeen, StoreChange, TableChange
from payproof.domain.seen import Seen
from payproof.domain.target import Contract

ACTIVE, PAST_DUE, CANCELED = ({"id": "{sub}", "status": one} for one in ("active", "past_due", "canceled"))


def seen(*steps, removed=0):
    """Return what a store showed, by step: a table's rows, of which each step has added all and removed some."""
    return Seen(
        Contract(),
        tuple(
            StoreChange(
                step,
                "database",
                (TableChange("subs", len(rows), removed),),
                rows=tuple(RowSeen("subs", tuple(row.items())) for row in rows),
            )
            for step, rows in enumerate(steps)
        ),
    )


def lives(newest, again, *others):
    """Return what a store shows of two whole lives with a beginning before each, and of one in another order."""
    *older, ended = others
    return seen(newest, older[0], newest, older[-1], again, ended)


def found(*steps):
    return [*NewestState().judge(lives(*steps))]


def test_an_older_state_is_found():
    """A table that ends as after the first event alone has lost the newest state."""
    (finding,) = found([CANCELED], [CANCELED], [ACTIVE], [PAST_DUE], [ACTIVE])
    assert (finding.kind, finding.step, finding.what) == (Kind.STALE_STATE, 5, "status is active, not canceled")
    assert str(finding.spot) == "store database, subs"


def test_a_deleted_row_that_comes_back_is_found():
    """A row that the newest event takes away must stay away."""
    (finding,) = found([], [], [ACTIVE], [ACTIVE])
    assert "status is active, not gone" in finding.what


def test_a_version_that_is_no_count_of_writes_is_a_state():
    """A column of that name that holds a word tells a state as any other does."""
    (finding,) = found(*([{"version": one}] for one in ("new", "new", "old", "old")))
    assert "version is old, not new" in finding.what


@pytest.mark.parametrize(
    "steps",
    [
        ([CANCELED], [CANCELED], [ACTIVE], [PAST_DUE], [CANCELED]),
        ([], [], [ACTIVE], []),
        # By chance: the two lives in order differ too.
        ([CANCELED | {"seed": "1"}], [CANCELED | {"seed": "2"}], [ACTIVE | {"seed": "3"}], [CANCELED | {"seed": "3"}]),
        # A count of writes is as no older state is.
        ([CANCELED | {"n": "3"}], [CANCELED | {"n": "3"}], [ACTIVE | {"n": "1"}], [CANCELED | {"n": "2"}]),
        # Who ignores an older event writes the row less often, as often as the beginning alone does.
        (
            [CANCELED | {"lock_version": "2"}],
            [CANCELED | {"lock_version": "2"}],
            [ACTIVE | {"lock_version": "1"}],
            [CANCELED | {"lock_version": "1"}],
        ),
        # A journal has a row for each event that was not ignored.
        ([{"done": "1"}] * 3, [{"done": "1"}] * 3, [{"done": "1"}], [{"done": "1"}]),
        # Nothing of what changes is kept.
        ([{"id": "{sub}"}], [{"id": "{sub}"}], [{"id": "{sub}"}], [{"id": "{sub}"}]),
        # A row that is the same before and after, as of a customer who was there already.
        ([CANCELED], [CANCELED], [ACTIVE], []),
        ([CANCELED], [CANCELED], [], [PAST_DUE], []),
    ],
    ids=["newest", "stays_gone", "chance", "counter", "lock_version", "journal", "stateless", "kept", "kept_before"],
)
def test_what_is_no_older_state(steps):
    """What differs by chance, or otherwise than by an older state, is not held against the target."""
    assert found(*steps) == []


def test_a_known_row_that_did_not_change_is_not_gone():
    """A row that was there before is changed by a beginning and the last step, and by chance not by the whole lives."""
    steps = [], [ACTIVE], [], [ACTIVE], [], [ACTIVE]
    assert [*NewestState().judge(seen(*steps))]
    assert [*NewestState().judge(seen(*steps, removed=1))] == []


def test_the_steps_so_far_are_not_judged():
    """Before its last step a case says nothing."""
    assert [*NewestState().judge(seen([CANCELED], [ACTIVE], [CANCELED], [ACTIVE], [ACTIVE]))] == []


def test_what_cannot_be_judged():
    """Events that leave nothing and rows that are too many are unknown; a target without state passes."""
    check = NewestState()
    assert [*check.find_unjudged(lives([], [], [], []))]
    changes = tuple(StoreChange(step, "database", (), rows=None) for step in range(6))
    assert [*check.find_unjudged(Seen(Contract(), changes))]
    plain = lives(*[[{"id": "{sub}"}]] * 4)
    assert not [*check.find_unjudged(plain)]
    assert "no column tells the newest state" in check.note(plain)
    assert not check.note(lives([CANCELED], [CANCELED], [ACTIVE], [CANCELED]))
