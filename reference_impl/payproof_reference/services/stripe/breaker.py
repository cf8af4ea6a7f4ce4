"""A circuit breaker: while Stripe is down, calls fail at once and Stripe is left alone.

Own code, because the libraries do not fit threads: pybreaker 1.4.1 holds its lock during the call, one request at a
time; circuitbreaker 2.1.3 and purgatory 3.0.1 have no lock, let every caller through when half open, and tell time by
a clock that a test cannot move; circuitbreaker keeps the last exception and prints it.
"""

import threading
import time
from collections.abc import Callable
from enum import StrEnum

__all__ = ["Breaker", "State"]


class State(StrEnum):
    """What a breaker does with the next caller: lets it pass, turns it away, or sends it ahead as a probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after a number of outages in a row, then lets one probe pass per rest until one succeeds.

    Args:
        threshold: how many outages in a row open it.
        rest_seconds: how long it stays open; longer than one request may take, so that probes do not overlap.
        clock: seconds that never go back.
    """

    def __init__(
        self, *, threshold: int = 5, rest_seconds: float = 15, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._outages = 0
        self._opened_at: float | None = None

    @property
    def state(self) -> State:
        """The state now."""
        if self._opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._clock() - self._opened_at >= self._rest_seconds else State.OPEN

    def admit(self) -> bool:
        """Let a caller pass, or return False."""
        with self._lock:
            state = self.state
            if state is State.HALF_OPEN:
                # The rest begins anew with the probe: nobody follows it, and one that never reports blocks nothing.
                self._opened_at = self._clock()
            return state is not State.OPEN

    def report(self, *, outage: bool) -> None:
        """Note what the request of a caller that passed came to."""
        with self._lock:
            if not outage:
                self._outages, self._opened_at = 0, None
                return
            self._outages += 1
            if self._outages >= self._threshold and self._opened_at is None:
                self._opened_at = self._clock()
