"""Rows that say what Stripe says, and rows that do not."""

import pytest

from payproof.checks.agrees import Agrees
from payproof.domain.kind import Kind
from payproof.domain.observation import RowSeen, StoreChange, StripeState, StripeThing, TableChange
from payproof.domain.seen import Seen
from payproof.domain.target import Contract

WHOLE, BEFORE, OTHER = (0, 2, 4), (1, 3), 5
ACTIVE, CANCELED, PAST_DUE = "active", "canceled", "past_due"


def state(step, status, **fields):
    """Return what Stripe shows after a step: one subscription."""
    told = {"status": status, "current_period_end": "1800000000", **fields}
    thing = StripeThing("subscription", tuple(told.items()))
    return StripeState(step, "a_flow", "a_moment", 1, (thing,), "reversed" if step == OTHER else "as_caused")


def rows(step, *cells, table="subs"):
    """Return what a store shows after a step: rows of the flow's subscription."""
    shown = tuple(RowSeen(table, tuple({"id": "{sub}", **one}.items())) for one in cells)
    return StoreChange(step, "database", (TableChange(table, len(shown), 0),) if shown else (), rows=shown)


def judged(before, after, other, *, stripe=(ACTIVE, CANCELED), mirrors=None, table="subs"):
    """Judge lives that end in ``after``, beginnings that end in ``before``, and a life in another order."""
    shown = dict.fromkeys(WHOLE, after) | dict.fromkeys(BEFORE, before) | {OTHER: other}
    first, last = stripe
    observed = [rows(step, *shown[step], table=table) for step in sorted(shown)]
    observed += [state(step, first if step in BEFORE else last) for step in sorted(shown)]
    seen = Seen(Contract(mirrors=mirrors or {}), tuple(observed))
    return [*Agrees().judge(seen)], [*Agrees().find_unjudged(seen)], Agrees().note(seen)


def test_column_that_follows_stripe_must_do_so_in_any_order():
    """What has held Stripe's status after each life in its order must hold it after another order too."""
    (finding,), unjudged, note = judged([{"status": ACTIVE}], [{"status": CANCELED}], [{"status": ACTIVE}])
    assert (finding.kind, finding.step) == (Kind.OTHER_STATE, OTHER)
    assert finding.what == "status is active, at Stripe canceled"
    assert str(finding.spot) == "store database, subs.status"
    assert (unjudged, note) == ([], "compared with Stripe: subs.status")


@pytest.mark.parametrize("status", ["canceled", "unpaid", "incomplete_expired", "paused"])
def test_subscription_that_has_ended_is_not_active(status):
    """A column that rightly said active may not say so of a subscription that has ended, in whatever order."""
    (finding,), *_ = judged([{"state": ACTIVE}], [{"state": ACTIVE}], [{"state": ACTIVE}], stripe=(ACTIVE, status))
    assert finding.what == f"state is active, at Stripe {status}"
    assert finding.step == 0


@pytest.mark.parametrize(
    ("before", "after", "other", "stripe"),
    [
        ([{"status": ACTIVE}], [{"status": CANCELED}], [{"status": CANCELED}], (ACTIVE, CANCELED)),
        # What past due means is for the target to say.
        ([{"status": ACTIVE}], [{"status": ACTIVE}], [{"status": ACTIVE}], (ACTIVE, PAST_DUE)),
        # Words of the target's own.
        ([{"status": "on"}], [{"status": "off"}], [{"status": "off"}], (ACTIVE, CANCELED)),
        # Each state in a row of its own.
        (
            [{"was": ACTIVE}],
            [{"was": ACTIVE}, {"was": CANCELED}],
            [{"was": CANCELED}, {"was": ACTIVE}],
            (ACTIVE, CANCELED),
        ),
        # The end of the period, by its name.
        (
            [{"until": "{current_period_end}"}],
            [{"until": "{current_period_end}"}],
            [{"until": "{current_period_end}"}],
            (ACTIVE, ACTIVE),
        ),
        # A record of the event that came.
        (
            [{"e": "{evt}", "s": ACTIVE}],
            [{"e": "{evt}", "s": ACTIVE}],
            [{"e": "{evt}", "s": ACTIVE}],
            (ACTIVE, CANCELED),
        ),
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(before, after, other, stripe):
    """Rows that agree, words of the target's own, journals and what Stripe leaves open are no finding."""
    assert judged(before, after, other, stripe=stripe)[0] == []


def test_end_of_a_period_that_stays_behind_is_found():
    """After another order the row must have the end of the period that is paid now."""
    now, old = [{"until": "{current_period_end}"}], [{"until": "{time}"}]
    (finding,), *_ = judged(now, now, old, stripe=(ACTIVE, ACTIVE))
    assert finding.what == "until is {time}, at Stripe {current_period_end}"


def test_mirror_must_hold_after_each_step():
    """A column that the contract calls a mirror holds Stripe's word in its order too, past due included."""
    same = [{"status": ACTIVE}]
    mirrors = {"subs.status": "subscription/status"}
    (finding,), *_ = judged(same, same, same, stripe=(ACTIVE, PAST_DUE), mirrors=mirrors)
    assert (finding.step, finding.what) == (0, "status is active, at Stripe past_due")


@pytest.mark.parametrize(("text", "agrees"), [("1", True), ("t", True), ("0", False), ("false", False)])
def test_truth_values_are_compared_however_they_are_written(text, agrees):
    """A database writes true and false in several ways."""
    shown = [{"ends": text}]
    observed = (rows(0, *shown), state(0, ACTIVE, cancel_at_period_end="true"))
    seen = Seen(Contract(mirrors={"subs.ends": "subscription/cancel_at_period_end"}), observed)
    assert ([*Agrees().judge(seen)] == []) is agrees


def test_what_shows_nothing_is_unjudged():
    """A target that keeps nothing of a flow is not judged, and neither is one that is too full to tell."""
    assert judged([], [], [])[1] == ["the target shows nothing of the flow in any store"]
    full = Seen(Contract(), (StoreChange(0, "database", (), rows=None), state(0, ACTIVE)))
    assert [*Agrees().find_unjudged(full)] == ["the steps changed too many rows to compare them"]


def test_words_of_its_own_are_judged_by_their_order_or_not_at_all():
    """Where no column says what Stripe says, the order of events may still be judged; else nothing is."""
    on, off = [{"plan": "pro"}], [{"plan": "free"}]
    assert judged(on, off, off)[1:] == (
        [],
        "no column says what Stripe's objects are: only the order of events was judged",
    )
    assert judged(on, on, on)[1] == ["no column says what Stripe's objects are: name some in mirrors of [contract]"]
