import asyncio
from contextlib import contextmanager
from email.utils import formatdate

import pytest

from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent
from payproof.engine.pace import Pace
from payproof.errors import InconclusiveError, Reason


class Clock:
    """Time that passes only by waiting."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return 1_900_000_000 + int(self.passed)

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        self.passed += seconds

    @contextmanager
    def suspend_limit(self):
        yield


def answered(status, **headers):
    """Return an exchange with headers, whose names have underscores for hyphens."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(0, Sent("POST", "https://t.example/hook", "n", 0, "0"), Answer(status, named, "", 0, 0.1))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"x_retry_after": "10"}, 10),
        ({"ratelimit_reset": "3"}, 3),
        ({"x_ratelimit_reset": "1900000020"}, 20),
        ({"retry_after": formatdate(1_900_000_009, usegmt=True)}, 9),
        ({"retry_after": "soon"}, 1),
        ({}, 1),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_says(headers, seconds):
    """What says when to come again is kept to, in each of its forms; without it a second is waited."""
    pace, clock = Pace(frozenset({400}), 1.0), Clock()
    assert pace.note(answered(429, **headers), clock, is_expected=False)
    asyncio.run(pace.keep(clock))
    assert clock.passed == seconds
    asyncio.run(pace.keep(clock))
    assert clock.passed == seconds


def test_waits_without_a_word_grow():
    """Where nothing says when to come again, each wait is twice the one before, until an answer comes."""
    pace, clock = Pace(frozenset({400}), 1.0), Clock()
    for expected in (1, 3, 7):
        pace.note(answered(429), clock, is_expected=False)
        asyncio.run(pace.keep(clock))
        assert clock.passed == expected
    assert not pace.note(answered(200), clock, is_expected=False)
    pace.note(answered(429), clock, is_expected=False)
    asyncio.run(pace.keep(clock))
    assert clock.passed == 8


def test_a_wait_that_is_too_long_is_unknown():
    """A limit beyond what a run may wait in all ends the case, and nothing is sent before it has passed."""
    pace, clock = Pace(frozenset({400}), 1.0), Clock()
    pace.note(answered(429, retry_after="3600"), clock, is_expected=False)
    with pytest.raises(InconclusiveError, match="status 429, to be asked again after 3600") as caught:
        asyncio.run(pace.keep(clock))
    assert caught.value.reason is Reason.RATE_LIMITED
    assert clock.passed == 0


@pytest.mark.parametrize(
    ("exchange", "expected", "limited"),
    [
        (answered(503, retry_after="1"), False, True),
        (answered(503, retry_after="1"), True, False),
        (answered(503), False, False),
        (answered(400, retry_after="1"), False, False),
        (Exchange(0, Sent("POST", "u", "n", 0, "0"), NoAnswer(Reason.TIMEOUT, "d", 1.0)), False, False),
    ],
)
def test_what_is_a_limit(exchange, expected, limited):
    """An unavailable target that says when to come again limits, unless it has a reason to be unavailable."""
    assert Pace(frozenset({400}), 1.0).note(exchange, Clock(), is_expected=expected) is limited


def test_a_status_that_means_rejected_is_no_limit():
    """Where the contract says that 429 rejects, it does."""
    assert not Pace(frozenset({429}), 1.0).note(answered(429), Clock(), is_expected=False)
