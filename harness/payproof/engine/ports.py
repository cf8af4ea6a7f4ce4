"""What the engine needs from outside; the session hands it in."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, Self

from payproof.domain.leak import Leak, NotRead, Place, SearchEvent
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Channel, Exchange
from payproof.domain.operation import Trouble
from payproof.domain.request import Request
from payproof.domain.sensitive import Exposure
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.domain.subject import Subject
from payproof.domain.tables import Cell
from payproof.domain.target import SourceSpec, Value
from payproof.scan.canaries import Canary

__all__ = [
    "Clock",
    "Commands",
    "EventSource",
    "InstanceStart",
    "Instances",
    "LeakFinder",
    "MemoryMeter",
    "Outages",
    "Sender",
    "Upstream",
    "WishList",
    "Writer",
]


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


@dataclass(frozen=True, slots=True)
class WishList:
    """What a search is for: in which places, the run's own canaries or what looks like payment data, and marks.

    ``canaries`` is None for what looks like payment data or a secret. ``marks`` are ids of which a search must see one,
    or it looks in the wrong place; None where nothing was sent that has one: any id of Stripe's is a mark then.
    """

    places: tuple[Channel, ...]
    canaries: tuple[Canary, ...] | None
    marks: tuple[str, ...] | None


class LeakFinder(Protocol):
    """Finds leaks of the run's own canaries; or, with None for them, of what looks like payment data or a secret."""

    def know_offered(self, values: tuple[Canary, ...]) -> None:
        """Name these values where a search for patterns finds them."""
        ...

    def check_control(self, canaries: tuple[Canary, ...] | None) -> None:
        """Find each canary in a text that holds it: the positive control of a search.

        Raises:
            InconclusiveError: one is not found.
        """
        ...

    def search_rows(
        self, canaries: tuple[Canary, ...] | None, table: Place, cells: Iterable[Cell]
    ) -> Iterator[Leak | NotRead]:
        """Search the values of a table, whose place is given."""
        ...

    def search_files(
        self, canaries: tuple[Canary, ...] | None, spec: SourceSpec, progress: Callable[[str], None]
    ) -> Iterator[SearchEvent]:
        """Search each file of a place that a target file lists.

        ``progress`` is called with a file's name again and again while it is read. What it raises ends the search.
        """
        ...

    def read_files(self, spec: SourceSpec) -> Iterator[bytes]:
        """Yield the bytes of each file of a place."""
        ...


class Commands(Protocol):
    """Runs the target's own commands."""

    async def run(self, command: Sequence[str], *, folder: str, environment: Mapping[str, str], seconds: float) -> int:
        """Run a command to its end and return its status.

        Raises:
            InconclusiveError: it cannot be started, or did not end in time.
        """
        ...


class Writer(Protocol):
    """Writes rows into the target's database."""

    def insert(self, table: str, values: Mapping[str, Value]) -> None:
        """Write one row.

        Raises:
            InconclusiveError: it cannot be written.
        """
        ...


class Outages(Protocol):
    """Takes the target's store down and brings it back."""

    @property
    def is_down(self) -> bool:
        """Whether the store is down now."""
        ...

    async def begin(self, fault: str = "") -> None:
        """Take the store down, or let it have a fault of ``store_faults``.

        Raises:
            InconclusiveError: it was not taken down.
        """
        ...

    async def end(self) -> None:
        """Bring the store back, if it is down.

        Raises:
            InconclusiveError: it was not brought back.
        """
        ...


class Sender(Protocol):
    """Sends requests to the target's hosts and to no other."""

    async def send(self, request: Request, step: int) -> Exchange:
        """Send one request; what went wrong on the way is part of the exchange."""
        ...

    async def send_together(
        self, requests: Sequence[Request], step: int, other: Self | None = None
    ) -> Sequence[Exchange]:
        """Send requests as nearly at one time as can be, every second one by another sender where one is given."""
        ...


@dataclass(frozen=True, slots=True)
class InstanceStart:
    """How an instance came up: it listens, or has ended with a status.

    ``said`` are its last lines, sensitive values replaced; ``exposures`` are those.
    """

    status: int | None
    seconds: float
    said: tuple[str, ...] = ()
    exposures: tuple[Exposure, ...] = ()


class Instances(Protocol):
    """Starts second instances of the target, one at a time."""

    @property
    def sender(self) -> Sender | None:
        """What sends to the instance that runs; None where there is none."""
        ...

    async def start(self, setting: str, value: str | None) -> InstanceStart:
        """Start an instance, with one setting of another value, or without it; without a setting as it should be.

        Raises:
            InconclusiveError: it cannot be started, or neither listens nor ends in time.
        """
        ...

    async def kill(self) -> None:
        """Kill the instance that runs, without a chance for it to do anything more, and wait until it is gone."""
        ...

    async def stop(self) -> None:
        """Stop the instance that runs, if one does."""
        ...


class MemoryMeter(Protocol):
    """Measures the memory of the target's processes."""

    def begin(self) -> None:
        """Begin to measure."""
        ...

    def end(self) -> tuple[int, int] | str:
        """Return how many bytes there were at the beginning, and by how many they grew at most; or why not."""
        ...


class EventSource(Protocol):
    """Makes Stripe events from templates."""

    def types(self, api_version: str) -> Sequence[str]:
        """Return the event types of a version."""
        ...

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
        subject: Subject,
    ) -> MadeEvent:
        """Make one event, about a subject where that is known."""
        ...


class Upstream(Protocol):
    """The Stripe API as the target sees it."""

    @property
    def elsewhere(self) -> str:
        """The base of a URL at which nobody has a reason to call; whoever does is among the calls."""
        ...

    def arm(self, troubles: Sequence[Trouble], random: Random, conceal: Callable[[str, str, bytes], None]) -> None:
        """Let these faults strike from now on, and no others; ``conceal`` hears of every canary in them."""
        ...

    def count_calls(self) -> int:
        """Return how many calls have arrived."""
        ...

    def calls(self, since: int) -> tuple[StripeCall, ...]:
        """Return the calls from a number on, in the order in which they arrived."""
        ...

    def connections(self, since: int) -> tuple[StripeConnection, ...]:
        """Return the connections from a number on that had a fault or came to nothing."""
        ...

    def take_in(self, event: MadeEvent) -> None:
        """Know what a delivered event tells; nothing happens where the backend is not the harness's own."""
        ...

    def take_caused_events(self) -> Sequence[MadeEvent]:
        """Return the webhook events of what was done at Stripe since the last such question, oldest first.

        There are none where the backend does not send any to the harness.
        """
        ...

    def check(self) -> None:
        """Raise InconclusiveError, once, when what was recorded cannot be judged."""
        ...

    def hint(self) -> str:
        """Return how a target that has never called is told to, or an empty text where it has."""
        ...
