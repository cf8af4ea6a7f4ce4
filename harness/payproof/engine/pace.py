"""Keeps to a target's rate limit: what it answers with 429 is sent again when ``Retry-After`` has passed.

The waits of a whole run are bounded. Once they are used up, a request that would have to wait is not sent, and its case
is unknown: a rate limit says nothing about the rules.
"""

from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from typing import Protocol

from payproof.domain.observation import Answer, Exchange
from payproof.errors import InconclusiveError, Reason

__all__ = ["Pace"]

_TOO_MANY, _UNAVAILABLE = 429, 503
_MOST_SECONDS = 300.0
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
#: What says when to come again; the first is the standard's, the others are those of common rate limiters.
_HEADERS = ("retry-after", "x-retry-after", "ratelimit-reset", "x-ratelimit-reset")
_EPOCH = 10**9  # a larger number is a time, in seconds since 1970
_HINT = "let more requests from here through, or limit the run with --topic or --scenario"


class _PausingClock(Protocol):
    def now(self) -> int: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def suspend_limit(self) -> AbstractContextManager[None]: ...


class Pace:
    """How soon the target lets itself be asked again; of one run."""

    def __init__(self, rejected: frozenset[int], patience: float) -> None:
        self._rejected, self._left = rejected, _MOST_SECONDS * patience
        self._not_before = 0.0
        self._own_wait = _FIRST_WAIT
        self._said = ""

    async def keep(self, clock: _PausingClock) -> None:
        """Wait until the target lets itself be asked again; the time is none of the case's.

        Raises:
            InconclusiveError: that is longer than the waits that are left of the run.
        """
        seconds = self._not_before - clock.monotonic()
        if seconds <= 0:
            return
        if seconds > self._left:
            raise InconclusiveError(Reason.RATE_LIMITED, self.said)
        self._left -= seconds
        with clock.suspend_limit():
            await clock.sleep(seconds)

    @property
    def said(self) -> str:
        """What the target has last said of its limit."""
        return f"{self._said}; {_HINT}"

    def is_limit(self, exchange: Exchange, *, is_expected: bool) -> bool:
        """Whether an answer says to come again later.

        ``is_expected`` says that the target has a reason to be unavailable, which is then no limit.
        """
        answer = exchange.answer
        if not isinstance(answer, Answer) or answer.status in self._rejected:
            return False
        busy = answer.status == _UNAVAILABLE and _read_later(answer) is not None and not is_expected
        return answer.status == _TOO_MANY or busy

    def note(self, exchange: Exchange, clock: _PausingClock, *, is_expected: bool) -> bool:
        """Take note of an answer; return whether it says to come again later."""
        answer = exchange.answer
        if not self.is_limit(exchange, is_expected=is_expected):
            if isinstance(answer, Answer):
                self._own_wait = _FIRST_WAIT
            return False
        assert isinstance(answer, Answer), "only an answer sets a limit"
        later = _read_later(answer)
        seconds = _read_seconds(later, clock.now())
        if seconds is None:
            seconds, self._own_wait = self._own_wait, min(2 * self._own_wait, _LONGEST_WAIT)
        self._not_before = max(self._not_before, clock.monotonic() + seconds)
        told = "" if later is None else f", to be asked again after {later}"
        self._said = f"the target limits how often it is asked: status {answer.status}{told}"
        return True


def _read_later(answer: Answer) -> str | None:
    """Return the text of the header that says when to come again."""
    return next((value for name in _HEADERS if (value := answer.header(name)) is not None), None)


def _read_seconds(later: str | None, now: int) -> float | None:
    """Return the seconds that a header says: as a number, or as a time (RFC 9110, 10.2.3)."""
    if later is None:
        return None
    if later.strip().isdecimal():
        seconds = float(later)
        return max(0.0, seconds - now) if seconds > _EPOCH else seconds
    try:
        return max(0.0, parsedate_to_datetime(later).timestamp() - now)
    except (ValueError, TypeError):
        return None
