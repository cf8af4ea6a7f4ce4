"""Whether events had their effect once: what copies at once, or a crash, may and may not change."""

import pytest

from payproof.checks.one_effect import OneEffect
from payproof.domain.kind import Kind
from payproof.domain.observation import (
    Answer,
    BurstSeen,
    Exchange,
    InstanceKilled,
    NoAnswer,
    Sent,
    StoreChange,
    StripeCalls,
    TableChange,
)
from payproof.domain.seen import Seen
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.domain.target import Contract
from payproof.errors import Reason

ALONE, TOGETHER, AGAIN = 0, 1, 2
OK, FAILED = Answer(200, (), "", 0, 0.01), Answer(500, (), "", 0, 0.01)
LOST = NoAnswer(Reason.UNREACHABLE, "closed", 0.01)


def deliver(step, *answers, event="a", released=None):
    """Return the exchanges of copies of an event."""
    return [
        Exchange(step, Sent("POST", "https://t/hook", "", 1, event, released=released, route="POST /hook"), answer)
        for answer in answers
    ]


def change(step, added, removed=0, table="payments"):
    """Return what a step has changed in a store."""
    return StoreChange(step, "database", (TableChange(table, added, removed),) if added or removed else ())


def call(step, *numbers, key=None):
    """Return charges that a step has caused at Stripe."""
    made = [
        StripeCall(number, "POST", "/v1/charges", (), (), "", KeyKind.TEST, 0.0, key, backend_status=200)
        for number in numbers
    ]
    return StripeCalls(step, tuple(made))


def judge(*observations, singles=((1, 0), (1, 0))):
    """Return the kinds of what is found, beside two events that are delivered alone."""
    alone = [*deliver(ALONE, OK, event="x"), *deliver(AGAIN, OK, event="y")]
    changes = [change(step, *counts) for step, counts in zip((ALONE, AGAIN), singles, strict=True)]
    return OneEffect().judge(Seen(Contract(), (*alone, *changes, *observations)))


@pytest.mark.parametrize(
    ("answers", "added", "found"),
    [
        ((FAILED, OK), 1, []),
        ((FAILED, FAILED), 0, [Kind.GENUINE_FAILED]),
        ((FAILED, OK), 2, [Kind.APPLIED_TWICE]),
        ((FAILED, OK), 0, [Kind.EFFECT_MISSING]),
    ],
)
def test_what_came_while_a_store_failed_counts_for_the_next_look(answers, added, found):
    """Nothing is looked into meanwhile; the same event again afterwards shows no event alone."""
    blind, later = answers
    told = [*deliver(3, blind), *deliver(4, later), *deliver(5, OK)], [change(4, added), change(5, 0)]
    assert [one.kind for one in judge(*told[0], *told[1])] == found


@pytest.mark.parametrize(
    ("answers", "added", "found"),
    [
        ((OK, OK, OK), 1, []),
        ((OK, FAILED, LOST), 1, []),
        ((OK, OK, OK), 2, [Kind.APPLIED_TWICE]),
        ((OK, OK, OK), 0, [Kind.EFFECT_MISSING]),
        ((FAILED, FAILED), 0, [Kind.GENUINE_FAILED]),
        ((LOST, LOST), 0, []),
    ],
)
def test_copies_at_once_have_the_effect_of_one(answers, added, found):
    """One copy that was accepted is enough; more than one effect, or none, is a finding."""
    copies = deliver(TOGETHER, *answers, released=0.0)
    assert [one.kind for one in judge(*copies, change(TOGETHER, added))] == found


@pytest.mark.parametrize(
    ("singles", "added", "removed", "found"),
    [
        # A row that each event makes: two events make two.
        (((1, 0), (1, 0)), 2, 0, []),
        (((1, 0), (1, 0)), 1, 0, [Kind.EFFECT_MISSING]),
        (((1, 0), (1, 0)), 3, 0, [Kind.APPLIED_TWICE]),
        # A row that each event changes: two events change it once, as far as can be seen.
        (((1, 1), (1, 1)), 1, 1, []),
        (((1, 1), (1, 1)), 0, 0, [Kind.EFFECT_MISSING]),
        # A row that the first event makes and the others change.
        (((1, 0), (1, 1)), 1, 1, []),
    ],
)
def test_each_of_some_events_has_its_effect(singles, added, removed, found):
    """Where an event makes a row, as many are made as there were events; where it changes one, it is changed."""
    copies = [one for event in "ab" for one in deliver(TOGETHER, OK, OK, event=event, released=0.0)]
    told = judge(*copies, change(TOGETHER, added, removed), singles=singles)
    assert [one.kind for one in told] == found


def test_a_table_of_its_own_is_no_effect_of_one():
    """A table that an event alone does not touch must not be touched by copies."""
    copies = deliver(TOGETHER, OK, OK, released=0.0)
    told = list(judge(*copies, change(TOGETHER, 1), change(TOGETHER, 1, table="errors")))
    assert [(one.kind, str(one.spot)) for one in told] == [(Kind.APPLIED_TWICE, "store database, errors")]


@pytest.mark.parametrize(("key", "found"), [("one key", []), (None, [Kind.DONE_TWICE])])
def test_stripe_is_asked_once(key, found):
    """What an event has Stripe change is changed once; repetitions under one key are none."""
    copies = deliver(TOGETHER, OK, OK, released=0.0)
    told = judge(*copies, change(TOGETHER, 1), call(ALONE, 1), call(TOGETHER, 2, 3, key=key), call(AGAIN, 4))
    assert [one.kind for one in told] == found


def test_what_was_acknowledged_before_a_kill_is_there():
    """An accepted event without its effect is lost, as nobody delivers it again."""
    killed = InstanceKilled(TOGETHER, 1, 0, 0.0, "answered")
    taken = deliver(TOGETHER, OK)
    assert [one.kind for one in judge(killed, *taken, change(TOGETHER, 0))] == [Kind.EFFECT_MISSING]
    assert not list(judge(killed, *taken, change(TOGETHER, 1)))


@pytest.mark.parametrize(
    ("observations", "told"),
    [
        ((InstanceKilled(TOGETHER, 4, 0, 0.1), *deliver(TOGETHER, OK)), ["no delivery was under way"]),
        ((InstanceKilled(TOGETHER, 4, 1, 0.1), *deliver(TOGETHER, OK)), []),
        ((InstanceKilled(TOGETHER, 1, 0, 0.0, "answered"), *deliver(TOGETHER, OK)), []),
        # A quick target has answered before the kill that its store has called for: that is a moment as good.
        ((InstanceKilled(TOGETHER, 1, 0, 0.0, "stored"), *deliver(TOGETHER, OK)), []),
    ],
)
def test_a_kill_that_strikes_nothing_shows_nothing(observations, told):
    """Kills between deliveries prove nothing, unless they come right after an answer."""
    alone = (*deliver(ALONE, OK, event="x"), change(ALONE, 1), change(TOGETHER, 1))
    unjudged = OneEffect().find_unjudged(Seen(Contract(), (*alone, *observations)))
    assert [one[:25] for one in unjudged] == told


def test_without_an_event_alone_nothing_is_judged():
    """What one event does has to be known."""
    seen = Seen(Contract(), (*deliver(TOGETHER, OK, OK, released=0.0), change(TOGETHER, 2)))
    assert not list(OneEffect().judge(seen))
    assert list(OneEffect().find_unjudged(seen)) == ["no step delivers an event alone"]


def burst(added, *refused, types=2, calls=()):
    """Return what is found where a burst of a hundred events, all accepted in the end, has added so many rows."""
    shown = BurstSeen(TOGETHER, 32, 100, types, 100, 110, 1.0, (0.1, 0.1, 0.1))
    answers = [one for number, answer in enumerate(refused) for one in deliver(TOGETHER, answer, event=str(number))]
    return [one.kind for one in judge(shown, *answers, change(TOGETHER, added), *calls)]


def test_what_a_burst_refused_came_again():
    """Refusals are shown without what came after them: whether each event was accepted at last, the numbers tell."""
    assert burst(50, FAILED, FAILED) == []


@pytest.mark.parametrize(
    ("added", "types", "calls", "found"),
    [
        (50, 2, (), []),
        (49, 2, (), [Kind.EFFECT_MISSING]),
        (99, 1, (), [Kind.EFFECT_MISSING]),
        (3, 1, (call(ALONE, 1),), []),
        (0, 1, (call(ALONE, 1),), [Kind.EFFECT_MISSING]),
        (3, 2, (call(ALONE, 1),), [Kind.EFFECT_MISSING]),
    ],
)
def test_rows_of_a_burst(added, types, calls, found):
    """Each event makes its row, but where all are about one object and the target asks Stripe what that is by then."""
    assert burst(added, types=types, calls=calls) == found
