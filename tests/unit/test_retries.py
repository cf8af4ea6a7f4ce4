"""What is not accepted comes again as Stripe delivers it, on a faster clock."""

import pytest

from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent
from payproof.domain.request import Request
from payproof.errors import Reason
from payproof.stripe.retries import MOST_RETRIES, Retries


def request(event):
    """A delivery of an event."""
    return Request("POST", "/hook", (), b"{}", note=event, ids=(event,))


def answered(*statuses):
    """What came back, None where nothing did."""
    answers = [
        NoAnswer(Reason.UNREACHABLE, "", 0.0) if one is None else Answer(one, (), "", 0, 0.0) for one in statuses
    ]
    return [Exchange(0, Sent("POST", "https://t.example/hook", "", 2, ""), one) for one in answers]


def test_only_what_was_not_accepted_comes_again():
    """A refusal and a delivery that got no answer come again when their wait is over, and no sooner."""
    retries, first, second, third = Retries(), *map(request, ("evt_1", "evt_2", "evt_3"))
    retries.note([first, second, third], answered(200, 503, None), 10.0)
    assert retries.take_due(10.0) == []
    assert retries.find_wait(10.0) == pytest.approx(0.03)
    assert retries.take_due(10.04) == [second, third]
    assert retries.find_wait(10.04) is None


def test_waits_grow_until_stripe_gives_up():
    """What is refused again and again waits longer each time, for less than three days of Stripe's in all."""
    retries, now, waits, one = Retries(), 0.0, [], request("evt_1")
    retries.note([one], answered(500), now)
    while (wait := retries.find_wait(now)) is not None:
        waits.append(wait)
        now += wait
        assert retries.take_due(now + 0.001) == [one]
        retries.note([one], answered(500), now)
    assert len(waits) == MOST_RETRIES
    assert waits == pytest.approx(sorted(waits))
    assert 2 * 86_400 < sum(waits) * 10_000 < 3 * 86_400


def test_what_is_accepted_at_last_comes_no_more():
    """An event that was refused and then accepted is done with."""
    retries, one = Retries(), request("evt_1")
    retries.note([one], answered(500), 0.0)
    retries.note(retries.take_due(1.0), answered(200), 1.0)
    assert retries.find_wait(1.0) is None
