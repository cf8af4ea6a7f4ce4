"""What a step may touch."""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Literal, Protocol

from payproof.domain.finding import Finding
from payproof.domain.made_event import Events, MadeEvent
from payproof.domain.observation import Channel, Exchange, Observation
from payproof.domain.operation import Trouble
from payproof.domain.request import Request
from payproof.domain.target import Target, Value

__all__ = ["Context"]


class Context(Protocol):
    """All that a step may touch."""

    @property
    def target(self) -> Target:
        """The billing system under test."""
        ...

    @property
    def event_types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        ...

    @property
    def random(self) -> Random:
        """The case's own randomness, from the run's seed and the case's id."""
        ...

    @property
    def events(self) -> Events:
        """Makes Stripe events."""
        ...

    @property
    def sent(self) -> Sequence[Request]:
        """What this phase has sent so far, oldest first."""
        ...

    @property
    def kept(self) -> dict[str, str]:
        """What this phase's operations kept of their answers, by name."""
        ...

    def now(self) -> int:
        """Return the time in Unix seconds."""
        ...

    async def early_in_second(self) -> None:
        """Wait, where needed, until most of the current second is still to come."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def conceal(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear in no answer, log, store or report."""
        ...

    def trace(self, kind: str, label: str, value: bytes) -> None:
        """Register a text of the run's own that must stand in nothing from now on, though the run's report tells it."""
        ...

    def canary(self, kind: str, label: str, value: bytes) -> None:
        """Register a value as ``conceal`` does, and look for it in every search of this phase."""
        ...

    def watch(self, attribute: str, which: int, forms: Iterable[str], *, whole: bool = True) -> None:
        """Have ``count`` count a value by column: the ``which``-th of an attribute, in any of its forms.

        It is counted where it is all that a value says, or, unless ``whole``, where it is one of its words.
        """
        ...

    def arm(self, *troubles: Trouble) -> None:
        """Let these faults strike the target's calls to Stripe from now on, and no others; without any, none."""
        ...

    def caused(self) -> Sequence[MadeEvent]:
        """Return the webhook events of what this phase has caused at Stripe so far, oldest first."""
        ...

    async def send(self, request: Request) -> Exchange:
        """Send a request to the target and return what came back."""
        ...

    async def search(self, places: Iterable[Channel], *, patterns: bool) -> Sequence[Observation]:
        """Search all stores, logs or files for this phase's canaries, or for what looks like payment data."""
        ...

    async def count(
        self, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> Sequence[Observation]:
        """Count by column, in all stores, the values that are watched; ``about`` is the table that it is done for."""
        ...

    def write(self, table: str, values: Mapping[str, Value]) -> None:
        """Write a row into the target's database."""
        ...

    async def columns(self) -> Sequence[Observation]:
        """Look which columns of all stores could hold payment data."""
        ...

    async def purge(self, later: float = 0) -> Observation:
        """Run the target's own purge, as if it were so many days later."""
        ...

    async def take_store_down(self) -> None:
        """Let the target's store refuse until the phase ends or it is brought back."""
        ...

    async def bring_store_back(self) -> None:
        """Let the target's store work again."""
        ...

    def weigh(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself, after what this phase is expected to show."""
        ...
