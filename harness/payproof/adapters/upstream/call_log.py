"""What the upstream's thread writes and everybody else reads: the plan, the calls, the connections, the trouble."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from payproof.canary import Ledger
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.errors import Reason
from payproof.stripe.upstream.faults import ConnectionFault, Fault
from payproof.stripe.upstream.plan import Plan, PlanProgress

__all__ = ["CallLog", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken of a target: the bytes of a call, the seconds for it to arrive, and how many calls are kept."""

    body_bytes: int = 1024 * 1024
    arrival_seconds: float = 30.0
    calls: int = 20_000


class CallLog:
    """Shared by two threads."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self.ledger, self.limits = ledger, limits
        self._trouble: tuple[Reason, str] | None = None
        self._opened = time.monotonic()
        self._lock = threading.Lock()
        self._progress = PlanProgress(Plan())
        self._calls: list[StripeCall] = []
        self._gained: dict[int, dict[str, Any]] = {}
        self._connections: list[StripeConnection] = []

    def begin(self, plan: Plan) -> Plan:
        """Begin a plan, and return the one before."""
        with self._lock:
            before = self._progress.plan
            self._progress = PlanProgress(plan)
            return before

    def at(self) -> float:
        """Return the seconds since the upstream was made."""
        return time.monotonic() - self._opened

    def add_call(self, make: Callable[[int], StripeCall]) -> StripeCall | None:
        """Keep a call, made with its number; None where there are too many."""
        with self._lock:
            if len(self._calls) >= self.limits.calls:
                self._keep_trouble(f"more than {self.limits.calls:,} calls")
                return None
            call = make(len(self._calls))
            self._calls.append(call)
            return call

    def update_call(self, number: int, **found: Any) -> None:
        """Add to a call what became of it."""
        with self._lock:
            # A call gains something several times, and is read seldom: it is made anew then.
            self._gained.setdefault(number, {}).update(found)

    def next_call(self, method: str, path: str) -> Fault | None:
        """Return the fault that a call meets."""
        with self._lock:
            return self._progress.next_call(method, path)

    def next_connection(self, *, secure: bool) -> ConnectionFault | None:
        """Return the fault that a connection has."""
        with self._lock:
            return self._progress.next_connection(secure=secure)

    def add_connection(self, *, secure: bool, fault: str, failed: str) -> None:
        """Keep a connection that had a fault or came to nothing."""
        with self._lock:
            if len(self._connections) < self.limits.calls:
                number = len(self._connections)
                self._connections.append(StripeConnection(number, self.at(), secure, fault, failed))

    def went_wrong(self, what: str, reason: Reason = Reason.UPSTREAM_FAILED) -> None:
        """Keep what makes the record unfit to be judged; the first counts, but a fault of ours before all."""
        with self._lock:
            self._keep_trouble(what, reason)

    def _keep_trouble(self, what: str, reason: Reason = Reason.UPSTREAM_FAILED) -> None:
        if self._trouble is None or (reason is Reason.HARNESS_FAULT and self._trouble[0] is not reason):
            self._trouble = reason, what

    def take_trouble(self) -> tuple[Reason, str] | None:
        """Return what went wrong since this was asked last, if anything did."""
        with self._lock:
            trouble, self._trouble = self._trouble, None
            return trouble

    def count_calls(self) -> int:
        """Return how many calls have arrived, without a copy of them."""
        with self._lock:
            return len(self._calls)

    def calls(self, since: int) -> tuple[StripeCall, ...]:
        """Return the calls from a number on."""
        with self._lock:
            for number, found in self._gained.items():
                self._calls[number] = replace(self._calls[number], **found)
            self._gained.clear()
            return tuple(self._calls[since:])

    def connections(self, since: int) -> tuple[StripeConnection, ...]:
        """Return the connections that were kept, from a number on."""
        with self._lock:
            return tuple(self._connections[since:])
