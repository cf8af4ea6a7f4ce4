"""What the engine needs from outside; the session hands it in."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Protocol

from harness.domain.contracts import MadeEvent, Request
from harness.domain.observation import Exchange
from harness.domain.operation import Trouble
from harness.domain.stripe_call import StripeCall

__all__ = ["Clock", "EventSource", "Sender", "Upstream"]


class Clock(Protocol):
    """Time, and waiting."""

    def time(self) -> float:
        """Return the wall clock in Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Sender(Protocol):
    """Sends requests to the target's hosts and to no other."""

    async def send(self, request: Request, step: int) -> Exchange:
        """Send one request; what went wrong on the way is part of the exchange."""
        ...


class EventSource(Protocol):
    """Makes Stripe events from templates."""

    def make(
        self,
        type: str,  # noqa: A002 (Stripe's own name for the field)
        *,
        api_version: str,
        now: int,
        canaries: Mapping[str, str],
        key: str,
        livemode: bool,
        ids: Mapping[str, str],
        set: Mapping[str, object],  # noqa: A002 (the word of the scenario files)
    ) -> MadeEvent:
        """Make one event."""
        ...


class Upstream(Protocol):
    """The Stripe API as the target sees it."""

    def arm(self, troubles: Sequence[Trouble], random: Random, conceal: Callable[[str, str, bytes], None]) -> None:
        """Let these faults strike from now on, and no others; ``conceal`` hears of every canary in them."""
        ...

    def calls(self, since: int) -> tuple[StripeCall, ...]:
        """Return the calls from a number on, in the order in which they arrived."""
        ...

    def check(self) -> None:
        """Raise InconclusiveError, once, when what was recorded cannot be judged."""
        ...

    def hint(self) -> str:
        """Return how a target that has never called is told to, or an empty text where it has."""
        ...
