"""What a step may touch: a context with one part for each thing that steps ask for.

The engine makes a context for each control and each case. A step asks ``context.events`` for an event, signs it, and
hands the request to ``context.send``. It asks ``context.stripe`` for faults, ``context.at_rest`` for a search, and so
on. What a step needs beside these it cannot reach: no socket, no file, no clock of the machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Literal, Protocol

from payproof.domain.entitlement import Beneficiary
from payproof.domain.finding import Finding
from payproof.domain.flow import Flow
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Channel, Exchange, Observation, RowSeen
from payproof.domain.operation import Trouble
from payproof.domain.request import Request
from payproof.domain.target import Target, Value, Webhook

__all__ = [
    "Context",
    "StepCanaries",
    "StepClock",
    "StepEntitlement",
    "StepEvents",
    "StepFlows",
    "StepInstance",
    "StepMemory",
    "StepOutage",
    "StepRetention",
    "StepSearch",
    "StepStripe",
]


class StepClock(Protocol):
    """Time, and waiting."""

    def now(self) -> int:
        """Return the time in Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def wait_for_early_second(self) -> None:
        """Wait, where needed, until most of the current second is still to come."""
        ...


class StepEvents(Protocol):
    """Makes Stripe events for the running case; each is distinct, and carries canaries that name the case."""

    @property
    def types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        ...

    def make(
        self,
        type_: str,
        *,
        values: Mapping[str, object],
        ids: Mapping[str, str],
        age: int = 0,
        api_version: str = "",
        of_stranger: bool = False,
    ) -> MadeEvent:
        """Make an event of a type, with values set at dotted paths and ids pinned by prefix, ``age`` seconds old.

        It is of the webhook's API version unless another is given, and about the target's subject unless it is to be
        ``of_stranger``.
        """
        ...

    def make_again(self) -> MadeEvent:
        """Make an event of another id that tells the same as the one that was made last."""
        ...

    def make_control(
        self,
        *,
        values: Mapping[str, object] = ...,
        ids: Mapping[str, str] = ...,
        age: int = 0,
        of_stranger: bool = False,
    ) -> MadeEvent:
        """Make the target's control event, or the one whose turn it is, as ``make`` does."""
        ...


class StepCanaries(Protocol):
    """Takes the values that a step makes up and that must turn up nowhere."""

    def conceal(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear in no answer, log, store or report."""
        ...

    def trace(self, kind: str, label: str, value: bytes) -> None:
        """Register a text of the run's own that must stand in nothing from now on, though the run's report tells it."""
        ...

    def note_offered(self, kind: str, label: str, value: bytes) -> None:
        """Remember a value that looks like payment data by chance, and may stand anywhere."""
        ...

    def look_for(self, kind: str, label: str, value: bytes) -> None:
        """Register a value as ``conceal`` does, and look for it in every search of this phase."""
        ...


class StepStripe(Protocol):
    """The Stripe API as the target sees it."""

    @property
    def elsewhere(self) -> str:
        """The base of a URL at which nobody has a reason to call; whoever does is recorded."""
        ...

    def arm(self, *troubles: Trouble) -> None:
        """Let these faults strike the target's calls to Stripe from now on, and no others; without any, none.

        Raises:
            InconclusiveError: the target calls another Stripe than the harness's.
        """
        ...

    def know(self, event: MadeEvent) -> None:
        """Have Stripe know what a delivered event tells, so that the target can ask for it."""
        ...

    def caused_events(self) -> Sequence[MadeEvent]:
        """Return the webhook events of what this phase has caused at Stripe so far, oldest first."""
        ...


class StepSearch(Protocol):
    """Reads what the target keeps, from beginning to end."""

    async def search(self, places: Iterable[Channel], *, patterns: bool) -> Sequence[Observation]:
        """Search all stores, logs or files for this phase's canaries, or for what looks like payment data.

        Raises:
            InconclusiveError: a source cannot be read, or held the search longer than the budget allows.
        """
        ...

    def watch(self, attribute: str, which: int, forms: Iterable[str], *, whole: bool = True) -> None:
        """Have ``count`` count a value by column: the ``which``-th of an attribute, in any of its forms.

        It is counted where it is all that a value says, or, unless ``whole``, where it is one of its words.
        """
        ...

    async def count(
        self, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> Sequence[Observation]:
        """Count by column, in all stores, the values that are watched; ``about`` is the table that it is done for.

        Raises:
            InconclusiveError: a store cannot be read, or not in the time that the budget allows.
        """
        ...

    async def read_columns(self) -> Sequence[Observation]:
        """Look which columns of all stores could hold payment data.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        ...


class StepRetention(Protocol):
    """Rows that are due, and the target's own purge."""

    def write_row(self, table: str, values: Mapping[str, Value]) -> None:
        """Write a row into the target's database.

        Raises:
            InconclusiveError: it cannot be written.
        """
        ...

    async def purge(self, later: float = 0) -> Observation:
        """Run the target's own purge, as if it were so many days later.

        Raises:
            InconclusiveError: it cannot be started, or did not end in time.
        """
        ...


class StepOutage(Protocol):
    """An outage of the target's store, or a fault of it."""

    async def begin(self, fault: str = "") -> None:
        """Let the target's store refuse, or have a fault, until the phase ends or the outage does.

        Raises:
            InconclusiveError: it was not taken down in time.
        """
        ...

    async def end(self) -> None:
        """Let the target's store work again.

        Raises:
            InconclusiveError: it was not brought back in time.
        """
        ...


class StepInstance(Protocol):
    """A second instance of the target."""

    @property
    def is_running(self) -> bool:
        """Whether the instance that was started last listens."""
        ...

    async def kill(self) -> None:
        """Kill the instance, without a chance for it to do anything more."""
        ...

    async def start(
        self, setting: Literal["", "secret", "api_key"], name: str, value: str | None
    ) -> Sequence[Observation]:
        """Start an instance in place of an earlier one, with one setting of another value, or without it.

        ``name`` says which value that is. What the instance has said is among what was seen.

        Raises:
            InconclusiveError: it cannot be started, or neither listens nor ends in time.
        """
        ...


class StepStores(Protocol):
    """The target's stores, as they change."""

    async def note(self) -> None:
        """Take the state from which a change is one.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        ...

    async def wait_for_change(self, seconds: float) -> None:
        """Return as soon as a store shows another state, or when so many seconds have passed.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        ...

    async def settle(self) -> None:
        """Wait as long as an effect may take that has to show in a store, as far as this run knows."""
        ...

    async def read_rows(self, ids: Iterable[str], *, unchanged: bool) -> Sequence[RowSeen] | None:
        """Return the rows that hold one of some ids and were written since ``note``, or None where they are too many.

        With ``unchanged`` the others that hold one are among them.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        ...


class StepEntitlement(Protocol):
    """Looks at rows that show what somebody has."""

    async def read_column(self, store: str, column: str, where: Mapping[str, str]) -> Sequence[str]:
        """Return the texts that a column (``users.plan``) holds in the rows with some values; NULL is left out.

        Without the name of a ``store`` the first one counts that has the table.

        Raises:
            InconclusiveError: no store has such a table, or one cannot be read.
        """
        ...

    def note(
        self, entitlement: str, whose: Beneficiary, *, granted: bool, told: str, spot: str, waited: float
    ) -> Observation:
        """Return what was seen, of the running step; what is granted after a wait tells how late effects show."""
        ...


class StepMemory(Protocol):
    """The memory of the target's processes."""

    def begin(self) -> None:
        """Begin to measure how much of it they take."""
        ...

    def end(self, largest: int) -> Observation:
        """Return how much it grew at most; ``largest`` is the length of the largest body that was sent meanwhile."""
        ...


class StepFlows(Protocol):
    """Payment flows, and the account at Stripe that they are played at."""

    def find(self, name: str) -> Flow:
        """Return a flow by its name; raises InconclusiveError where there is none."""
        ...

    @property
    def account(self) -> Any:
        """The account, a ``StripeAccount`` of ``payproof.stripe.flows``.

        Raises:
            InconclusiveError: what answers for Stripe has no state.
        """
        ...


class Context(Protocol):
    """All that a step may touch."""

    @property
    def target(self) -> Target:
        """The billing system under test."""
        ...

    @property
    def random(self) -> Random:
        """The case's own randomness, from the run's seed and the case's id."""
        ...

    @property
    def sent(self) -> Sequence[Request]:
        """The requests that this phase has sent so far, oldest first."""
        ...

    @property
    def accepted(self) -> Sequence[str]:
        """The ids in the requests of this phase that were answered with a success, those of their events too."""
        ...

    @property
    def kept(self) -> dict[str, str]:
        """The values that this phase's operations kept of their answers, by name."""
        ...

    @property
    def clock(self) -> StepClock:
        """Time, and waiting."""
        ...

    @property
    def events(self) -> StepEvents:
        """Makes Stripe events."""
        ...

    @property
    def canaries(self) -> StepCanaries:
        """Takes the values that must turn up nowhere."""
        ...

    @property
    def stripe(self) -> StepStripe:
        """Lets faults strike, and tells what was caused at Stripe."""
        ...

    @property
    def at_rest(self) -> StepSearch:
        """Searches and counts what the target keeps."""
        ...

    @property
    def retention(self) -> StepRetention:
        """Writes rows, and runs the target's purge."""
        ...

    @property
    def outage(self) -> StepOutage:
        """Takes the target's store down and brings it back."""
        ...

    @property
    def instance(self) -> StepInstance:
        """Starts a second instance of the target."""
        ...

    @property
    def stores(self) -> StepStores:
        """The target's stores, as they change."""
        ...

    @property
    def entitlement(self) -> StepEntitlement:
        """Looks at rows that show what somebody has."""
        ...

    @property
    def memory(self) -> StepMemory:
        """Measures the memory of the target's processes."""
        ...

    @property
    def flows(self) -> StepFlows:
        """Payment flows."""
        ...

    def at_instance(self) -> "Context":
        """Return this context with requests going to the second instance."""
        ...

    def at_webhook(self, webhook: Webhook) -> "Context":
        """Return this context for a target whose webhook is another one; its events stay as they are."""
        ...

    def at_path(self, path: str) -> "Context":
        """Return this context for a target whose webhook is at another path."""
        ...

    async def send(self, request: Request) -> Exchange:
        """Send a request to the target and return what came back.

        Raises:
            InconclusiveError: the budget of requests is spent.
        """
        ...

    async def send_together(self, requests: Sequence[Request], *, with_instance: bool = False) -> Sequence[Exchange]:
        """Send requests as nearly at one time as can be, each on a connection of its own, and return what came back.

        ``with_instance`` sends every second one to the second instance.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits how many it takes, or it is gone.
        """
        ...

    async def send_many(self, requests: Sequence[Request], connections: int) -> Sequence[Exchange]:
        """Send requests as fast as the target answers over some connections, and return what came back, in order.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits how many it takes, or it is gone.
        """
        ...

    def judge_alone(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself, after what this phase is expected to show."""
        ...
