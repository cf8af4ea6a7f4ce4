"""What the families of parts promise each other: steps, checks, detectors, sources, and the context of a step."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from random import Random
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from payproof.domain.finding import Confidence, Finding
from payproof.domain.observation import (
    Channel,
    ColumnsSeen,
    Counted,
    Exchange,
    LogLines,
    Observation,
    Role,
    Searched,
    StoreChange,
    StripeCalls,
)
from payproof.domain.operation import Trouble
from payproof.domain.stripe_call import StripeCall
from payproof.domain.target import Contract, Target, Value

__all__ = [
    "At",
    "Block",
    "Check",
    "Context",
    "Detector",
    "Events",
    "Following",
    "Hit",
    "Log",
    "MadeEvent",
    "Request",
    "Seen",
    "Snapshot",
    "Step",
    "Store",
]


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the target, byte for byte.

    ``target`` is the request target (path and query) as it goes on the wire; ``ids`` are the made-up Stripe ids that
    it carries, by which its effects are recognised; ``note`` tells a reader what is sent, ``variant`` names the
    way in which it is signed or forged, or the fault that is to strike. ``calls`` is the call to Stripe that it causes,
    and ``within`` how many seconds its answer may take, if not the contract's for deliveries. ``wire`` is the whole
    request as it goes on the wire, where that is malformed on purpose; nothing else of it is then sent. ``example``
    is a command that sends a made-up request again. ``role`` is told with what was sent.
    One that is to be sent ``once`` is never repeated, nor sent where the target may be closing the connection.
    """

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    note: str
    ids: tuple[str, ...] = ()
    variant: str = ""
    calls: str = ""
    within: float | None = None
    wire: bytes = field(default=b"", repr=False)
    example: str = field(default="", repr=False)
    role: Role = ""
    once: bool = False


class MadeEvent(Protocol):
    """A made-up Stripe event."""

    @property
    def id(self) -> str:
        """The event's id."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Every made-up Stripe id in the event, its own first."""
        ...

    def encoded(self, form: str = "pretty") -> bytes:
        """Return the body in one of the forms that Stripe may send."""
        ...


class Events(Protocol):
    """Makes events for the running case; each is distinct, and carries canaries that name the case."""

    def __call__(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str], age: int = 0) -> MadeEvent:
        """Make an event of a type, with values set at dotted paths and ids pinned by prefix, ``age`` seconds old."""
        ...


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


@runtime_checkable
class Step(Protocol):
    """One action on the target; a frozen dataclass whose fields are the step's parameters.

    One that has ``requests`` and ``seconds`` brings so much budget of its own. One that has ``packages`` needs these of
    the extra ``fuzz``; its case is skipped where they are not installed. One that has ``unfit(target)`` says why it
    makes no sense on a target, or nothing; its case is skipped then.
    """

    name: ClassVar[str]

    async def run(self, context: Context) -> Sequence[Observation]:
        """Act and return what was seen."""
        ...


@dataclass(frozen=True, slots=True)
class Following:
    """A column that gained every value of an attribute that was offered."""

    step: int
    source: str
    table: str
    column: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a check may judge: one phase's observations and what the target promises.

    ``control`` is what the scenario's control has shown before, where it has one: how the target answers when all is
    well.
    """

    contract: Contract
    observations: tuple[Observation, ...]
    control: tuple[Observation, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Requests and answers in order."""
        return tuple(o for o in self.observations if isinstance(o, Exchange))

    def at(self, step: int) -> "Seen":
        """Return what belongs to one step, as if it were the first."""
        mine = tuple(replace(o, step=0) for o in self.observations if o.step == step)
        return replace(self, observations=mine)

    @property
    def operations(self) -> tuple[Exchange, ...]:
        """Requests that cause a call to Stripe which is to be judged, and their answers, in order."""
        return tuple(exchange for exchange in self.exchanges if exchange.sent.calls)

    @property
    def calls(self) -> tuple[StripeCall, ...]:
        """The calls to Stripe that the operations are known to cause, from the first of these on, in order."""
        operations = self.operations
        first = min((exchange.step for exchange in operations), default=0)
        wanted = {exchange.sent.calls for exchange in operations}
        arrived = (
            call for o in self.observations if isinstance(o, StripeCalls) and o.step >= first for call in o.calls
        )
        return tuple(call for call in arrived if any(call.is_one_of(pattern) for pattern in wanted))

    @property
    def changes(self) -> tuple[StoreChange, ...]:
        """What happened in the stores."""
        return tuple(o for o in self.observations if isinstance(o, StoreChange))

    @property
    def searches(self) -> tuple[Searched, ...]:
        """What searches of whole sources came to."""
        return tuple(o for o in self.observations if isinstance(o, Searched))

    @property
    def schemas(self) -> tuple[ColumnsSeen, ...]:
        """What columns the stores have."""
        return tuple(o for o in self.observations if isinstance(o, ColumnsSeen))

    def keeps(self, table: str, column: str) -> bool:
        """Whether the contract lists a column, or one that a key in its JSON stands in, as kept with a reason."""
        name = column.partition(".")[0]
        return any(
            fnmatchcase(table, one.table) and (fnmatchcase(column, one.column) or fnmatchcase(name, one.column))
            for one in self.contract.keeps
        )

    def follows(self) -> Iterator[Following]:
        """Yield each column that has gained every value of an attribute that was offered, ids aside."""
        if any(isinstance(one, Counted) and one.marked is False for one in self.observations):
            return  # of events that left no trace, no column has gained anything
        counts: dict[tuple[str, str, str, str], dict[int, list[int]]] = {}
        step = 0
        for counted in self.observations:
            if isinstance(counted, Counted) and counted.moment in {"before", "after"}:
                step = max(step, counted.step)
                for one in counted.columns:
                    place = (counted.source, one.table, one.column, one.attribute)
                    both = counts.setdefault(place, {}).setdefault(one.which, [0, 0])
                    both[counted.moment == "after"] += one.count
        total = max((number for which in counts.values() for number in which), default=0) + 1
        for (source, table, column, attribute), which in sorted(counts.items()):
            gained = [before < after for before, after in which.values()]
            if attribute != "id" and len(gained) == total and all(gained):
                yield Following(step, source, table, column, attribute)

    def planted(self, moment: str, about: str = "") -> Counter[tuple[str, str]]:
        """Return by attribute and table how many of the planted rows there are at a moment."""
        most: dict[tuple[str, str, int], int] = {}
        for counted in self.observations:
            if isinstance(counted, Counted) and counted.moment == moment and counted.about == about:
                for one in counted.columns:
                    place = (one.attribute, one.table, one.which)
                    # A row holds several ids of one event, one in each of some columns.
                    most[place] = max(most.get(place, 0), one.count)
        rows: Counter[tuple[str, str]] = Counter()
        for (attribute, table, _), count in most.items():
            rows[attribute, table] += count
        return rows

    @property
    def lines(self) -> tuple[LogLines, ...]:
        """What the logs gained."""
        return tuple(o for o in self.observations if isinstance(o, LogLines))


@runtime_checkable
class Check(Protocol):
    """One expectation; pure. A frozen dataclass whose fields are the check's parameters.

    ``channels`` are what it must have seen to judge fully; ``patient`` marks one that may come to hold by waiting.
    One that has ``reads_bodies = True`` is not judged as held where a body was cut, and one that ``reads`` a sort of
    observation not where there is none; ``unjudged(seen)`` names what else one could not judge, and ``note(seen)`` what
    a reader should know of one that held. One that is
    ``own_control`` judges what shows by itself that the right place was looked at, so that it needs no control and no
    marker. One that has ``at_end = True`` is waited for after the last step only, and as long as the contract gives
    operations to be completed.
    """

    @property
    def name(self) -> str:
        """The name in scenario files."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """What must have been seen."""
        ...

    @property
    def patient(self) -> bool:
        """Whether waiting may help."""
        ...

    def judge(self, seen: Seen) -> Iterable[Finding]:
        """Return what does not hold."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """A check and the step that it judges, as if that step were the first; without a step it judges all of them.

    It alone reads what a check may leave out, so that whoever judges sees the same of a check of one step and of a
    check of all steps.
    """

    check: Check
    step: int | None = None

    @classmethod
    def of(cls, check: "Check | At") -> "At":
        """Return a check as one of all steps, unless it has its step."""
        return check if isinstance(check, cls) else cls(check)

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.name

    @property
    def channels(self) -> frozenset[Channel]:
        """What the check must have seen."""
        return self.check.channels

    @property
    def patient(self) -> bool:
        """Whether the check may come to hold by waiting."""
        return self.check.patient

    @property
    def reads(self) -> type | None:
        """What observations the check must have seen."""
        return getattr(self.check, "reads", None)

    @property
    def own_control(self) -> bool:
        """Whether the check needs no control."""
        return getattr(self.check, "own_control", False)

    @property
    def reads_bodies(self) -> bool:
        """Whether the check needs whole bodies."""
        return getattr(self.check, "reads_bodies", False)

    @property
    def at_end(self) -> bool:
        """Whether the check is waited for after the last step only, and as long as operations take to complete."""
        return getattr(self.check, "at_end", False)

    def scope(self, seen: Seen) -> Seen:
        """Return what the check may judge of all that was seen."""
        return seen if self.step is None else seen.at(self.step)

    def unjudged(self, seen: Seen) -> Iterable[str]:
        """Return what the check could not judge."""
        own = getattr(self.check, "unjudged", None)
        return () if own is None else own(self.scope(seen))

    def note(self, seen: Seen) -> str:
        """Return what the check notes, though nothing is wrong with it."""
        own = getattr(self.check, "note", None)
        return "" if own is None else own(self.scope(seen))

    def judge(self, seen: Seen) -> Iterable[Finding]:
        """Return what does not hold; nothing before a step has run."""
        if self.step is None:
            return tuple(self.check.judge(seen))
        mine = self.scope(seen)
        findings = self.check.judge(mine) if mine.observations else ()
        return tuple(replace(finding, step=self.step) for finding in findings)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a detector found something: byte offsets, what it is, how surely.

    ``shown`` is what may be shown of a sensitive value, and empty where the bytes themselves may be shown; ``key`` is
    the name that stands before the value. Whoever searched fills in the rest: ``kind`` is the detector's name, ``path``
    the encodings that the value was found in, outermost first. Of a value in compressed data ``start`` and ``end`` are
    those of the compressed data, and ``within`` is the offset in what was decompressed. It stands for so many ``times``
    that the same was found in one text.
    """

    start: int
    end: int
    what: str
    confidence: Confidence
    shown: str = ""
    brand: str = ""
    key: str = ""
    kind: str = ""
    path: tuple[str, ...] = ()
    within: int | None = None
    times: int = 1


class Detector(Protocol):
    """Bytes to positions of one kind of data; pure.

    ``positive`` samples must each give at least one hit, ``negative`` samples none; without both it does not register.
    One that has ``by_error = True`` looks for what answers show when something goes wrong: a log and a store may hold
    it, and what good answers show as well is no hit. One that has ``of(canaries)`` looks for a run's own values, and
    without them is left out of scans. One that is ``countable`` finds few things, however often: they are counted.
    """

    name: ClassVar[str]
    positive: ClassVar[tuple[bytes, ...]]
    negative: ClassVar[tuple[bytes, ...]]

    def find(self, data: bytes) -> Iterable[Hit]:
        """Return the places in ``data``."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes from a source and the place they stand in."""

    where: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A store's state: for each table, how often each row digest occurs.

    ``fresh`` are the rows that the snapshot before did not have.
    """

    tables: Mapping[str, Mapping[bytes, int]]
    fresh: tuple[Block, ...] = ()


class Store(Protocol):
    """A database that the target writes to, read only."""

    name: str

    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Take the store's state; ``ids`` are the ids whose rows count in tables too big to read whole."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class Log(Protocol):
    """A log that the target writes to."""

    name: str

    async def position(self) -> Any:
        """Return the place where the log ends now."""
        ...

    def since(self, position: Any) -> AsyncIterator[Block]:
        """Yield the lines that were written after a position."""
        ...

    async def close(self) -> None:
        """Let go of the log."""
        ...
