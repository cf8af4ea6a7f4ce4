"""The check of deliveries that met a fault of Stripe's: what it takes for done, lost, and done twice."""

import pytest

from payproof.checks.asks_stripe import AsksStripe
from payproof.checks.caught_up import CaughtUp
from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent, StoreChange, StripeCalls, TableChange
from payproof.domain.seen import Seen
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.domain.target import Contract
from payproof.errors import Reason

SENT = Sent("POST", "https://t.example", "", 0, "")
DONE = ("seen", "objects")


def answered(step, status):
    return Exchange(step, SENT, Answer(status, (), "", 0, 0.01))


def changed(step, *tables):
    return StoreChange(step, "database", tuple(TableChange(name, 1, 0, name == "refused") for name in tables))


def seen(statuses, changes, control=DONE):
    """Return deliveries at steps 0, 1 and from 3 on, and what each step changed; the control changed both tables."""
    steps = (0, 1, 3, 4, 5)[: len(statuses)]
    exchanges = [answered(step, status) for step, status in zip(steps, statuses, strict=True)]
    looks = [changed(step, *tables) for step, tables in enumerate(changes)]
    return Seen(Contract(), (*exchanges, *looks), (answered(1, 200), changed(1, *control)))


@pytest.mark.parametrize(
    ("statuses", "changes", "wrong"),
    [
        ([200, 503, 200, 200], [DONE, (), (), DONE, ()], []),
        ([200, 503, 200, 200], [DONE, ("seen",), (), ("objects",), ()], []),
        ([200, 503, 200, 200], [DONE, ("seen",), (), (), ()], ["table objects"]),
        ([200, 503, 200, 200], [DONE, (), (), DONE, ("objects",)], ["no further effect"]),
        ([200, 503, 200, 200], [DONE, ("refused",), (), DONE, ("refused",)], []),
        ([200, 503, 503, 200, 200], [DONE, (), (), (), DONE, ()], []),
        ([200, 503, 503, 503], [DONE, (), (), (), ()], ["a status of 200 to 299"]),
        ([200, 200, 200, 200], [DONE, (), DONE, (), ()], []),
        ([200, 200, 200, 200], [DONE, DONE, (), (), ()], []),
        ([200, 200, 200, 200], [DONE, (), (), DONE, ()], ["table seen", "table objects"]),
        ([200, 200, 200, 200], [DONE, (), (), DONE, DONE], ["table seen", "table objects", *["no further effect"] * 2]),
        ([200, 400, 200, 200], [DONE, (), (), DONE, ()], []),
    ],
)
def test_what_was_made_up_for(statuses, changes, wrong):
    """Refused and done at a later delivery, or acknowledged and done by itself; once, and all of it.

    What was lost and comes later for the first time has not come twice.
    """
    findings = list(CaughtUp().judge(seen(statuses, changes)))
    assert len(findings) == len(wrong)
    assert all(part in finding.expected for finding, part in zip(findings, wrong, strict=True))


def test_nothing_is_awaited_before_it_can_come():
    """Until Stripe is back, and until a refused delivery has come again, nothing is wrong."""
    for statuses, changes in (([200], [DONE]), ([200, 200], [DONE, ()]), ([200, 503], [DONE, (), ()])):
        assert not list(CaughtUp().judge(seen(statuses, changes)))
    assert not list(CaughtUp().judge(Seen(Contract(), ())))


def test_what_cannot_be_told():
    """Without an effect in the control, or a copy after the accepted one, the case is unknown."""
    assert list(CaughtUp().find_unjudged(seen([200, 503, 200, 200], [DONE, (), (), DONE, ()]))) == []
    without = seen([200, 503, 200, 200], [DONE, (), (), (), ()], control=())
    assert list(CaughtUp().find_unjudged(without)) == ["the same delivery changed nothing while Stripe worked"]
    last = seen([200, 503, 503, 200], [DONE, (), (), (), DONE])
    assert list(CaughtUp().find_unjudged(last)) == ["no copy was delivered after the one that was accepted"]


def test_no_answer_is_told_as_what_it_was():
    """A delivery that nobody answers when Stripe is back was not accepted, and the reason is told."""
    silent = Exchange(3, SENT, NoAnswer(Reason.TIMEOUT, "no answer", 10.0))
    observations = (answered(0, 200), answered(1, 503), silent, changed(3))
    (finding,) = CaughtUp().judge(Seen(Contract(), observations))
    assert finding.seen == Reason.TIMEOUT.value


@pytest.mark.parametrize(
    ("calls", "told"), [((), "makes no call"), ((False,), ""), ((False, True), "does not know GET /v1/odd")]
)
def test_asking_stripe(calls, told):
    """Without a call, or with one that the double does not know, nothing is judged; it is never a failure."""
    made = tuple(
        StripeCall(number, "GET", "/v1/odd", (), (), "d", KeyKind.TEST, 0.0, unknown=unknown)
        for number, unknown in enumerate(calls)
    )
    observed = Seen(Contract(), (StripeCalls(0, made),))
    assert not list(AsksStripe().judge(observed))
    unjudged = list(AsksStripe().find_unjudged(observed))
    assert (told in unjudged[0]) if told else not unjudged
