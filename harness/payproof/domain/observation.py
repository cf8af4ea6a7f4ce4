"""What was seen, by channel. Sensitive values were replaced by placeholders before anything here was made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from payproof.domain.access import Asking
from payproof.domain.channel import Channel
from payproof.domain.finding import Confidence, Severity
from payproof.domain.leak import Leak, NotRead, Place
from payproof.domain.sensitive import Exposure
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.errors import Reason

__all__ = [
    "ABSENT",
    "PERIOD_END",
    "REDIRECTS",
    "Answer",
    "BurstSeen",
    "Channel",
    "ColumnCount",
    "ColumnsSeen",
    "Counted",
    "EntitlementSeen",
    "Exchange",
    "InstanceKilled",
    "InstanceStarted",
    "KillMoment",
    "LogLines",
    "MemorySeen",
    "NoAnswer",
    "Observation",
    "OrdersExplored",
    "Purged",
    "Role",
    "RowSeen",
    "Searched",
    "Sent",
    "StoreChange",
    "StripeCalls",
    "StripeState",
    "StripeThing",
    "SuspectColumn",
    "TableChange",
    "find_percentile",
]

#: Statuses that say: there is no such route.
ABSENT = frozenset({404, 405, 410})

#: The field of a subscription that says until when it is paid.
PERIOD_END = "current_period_end"

#: Statuses that lead elsewhere.
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_SUCCESS = range(200, 300)

#: What a request is for, beside the others of its step.
Role = Literal["", "moved", "nowhere"]
KillMoment = Literal["sent", "stored", "answered"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a step sent, without its sensitive parts.

    ``note`` is for people, ``variant`` names the way of signing or forging, or the fault that was to strike, ``digest``
    is SHA-256 of the body. ``calls`` is the call to Stripe that the request causes, such as ``POST /v1/customers``.
    ``example`` is a command that sends a made-up request again. ``role`` is "moved" of a request that follows the
    redirect of the one before, and "nowhere" of one that shows how the target answers the one before at a place that
    it does not have. ``event`` is the type of event that the scenario names, and empty for the target's control event.
    ``route`` is the route of the target's that it is for, ids left out, such as ``POST /invoices/{}``. ``released`` is,
    of a request that was let go together with others, how many seconds after the first of them it was. ``asking`` says
    who asks, and what is promised of that, where somebody's rights are tried out.
    """

    method: str
    url: str
    note: str
    length: int
    digest: str
    variant: str = ""
    calls: str = ""
    example: str = ""
    role: Role = ""
    event: str = ""
    route: str = ""
    released: float | None = None
    asking: Asking | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The target's answer.

    ``headers`` in wire order, names in lower case; ``body`` is decoded text with sensitive values replaced; it is
    ``cut`` where it is longer than the budget's size for evidence. ``length`` is the decoded length in bytes;
    ``seconds`` from first byte sent to last byte read. ``echoes`` are the places in which an error says back a text of
    the request that caused it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    length: int
    seconds: float
    exposures: tuple[Exposure, ...] = ()
    cut: bool = False
    echoes: tuple[str, ...] = ()
    kind: Literal["answer"] = "answer"

    def header(self, name: str) -> str | None:
        """Return the first header of this name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why no answer could be read; ``detail`` is one line."""

    reason: Reason
    detail: str
    seconds: float
    kind: Literal["no_answer"] = "no_answer"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back; ``called`` is how many calls to Stripe had arrived in this run by then."""

    step: int
    sent: Sent
    answer: Answer | NoAnswer = field()
    called: int = 0
    channel: Literal[Channel.HTTP] = Channel.HTTP

    @property
    def example(self) -> tuple[str, ...]:
        """The command that sends the request again, as evidence; of a made-up request only."""
        return (self.sent.example,) if self.sent.example else ()

    @property
    def is_accepted(self) -> bool:
        """Whether the target has answered that it took the request."""
        return isinstance(self.answer, Answer) and self.answer.status in _SUCCESS

    @property
    def was_cut_off(self) -> bool:
        """Whether the connection ended without an answer, as at a body that is too large, or when a handler panics."""
        return isinstance(self.answer, NoAnswer) and self.answer.reason is Reason.UNREACHABLE


@dataclass(frozen=True, slots=True)
class TableChange:
    """Rows of one table that a step added or took away; a changed row counts once in each.

    ``rejection_log`` marks a table that the contract names as a place where rejections may be recorded.
    """

    table: str
    added: int
    removed: int
    rejection_log: bool = False

    def describe(self, source: str) -> str:
        """Say what changed in which table of which source."""
        return f"{source}, table {self.table}: {self.added} rows added, {self.removed} removed"


@dataclass(frozen=True, slots=True)
class RowSeen:
    """A row as a step has left it, which it had not found so: its cells by column, without what differs by chance."""

    table: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BurstSeen:
    """Many deliveries were sent at the highest rate that the target takes, over some ``connections``.

    ``events`` is how many events they were about, of so many ``types`` equally often, and ``accepted`` how many of
    these were accepted in the end. ``deliveries`` went out within ``seconds``. ``latencies`` are the 50th, 95th and
    99th percentile of what an answer took, in seconds; ``refusals`` count what else came than 2xx.
    """

    step: int
    connections: int
    events: int
    types: int
    accepted: int
    deliveries: int
    seconds: float
    latencies: tuple[float, float, float]
    refusals: tuple[tuple[str, int], ...] = ()
    channel: Literal[Channel.HTTP] = Channel.HTTP
    kind: Literal["burst"] = "burst"

    @property
    def described(self) -> str:
        """The burst in words: how many deliveries, at what rate, and how long answers took."""
        half, most, nearly_all = (1000 * one for one in self.latencies)
        rate = self.deliveries / self.seconds if self.seconds else 0.0
        refused = "".join(f", {times} answered {told}" for told, times in self.refusals)
        return (
            f"{self.deliveries:,} deliveries of {self.events:,} events over {self.connections} connections, "
            f"{rate:,.0f} per second, answered within {half:.0f}, {most:.0f} and {nearly_all:.0f} ms "
            f"(50, 95 and 99 %){refused}"
        )


@dataclass(frozen=True, slots=True)
class OrdersExplored:
    """The events of some lives were delivered in so many ``orders``, and after each the newest state was looked for.

    ``columns`` are those that tell a state from another; without any, ``unjudged`` says why, if that is no answer.
    ``commands`` deliver the smallest order after which an older state was there, ``stale`` says which, of ``table``.
    """

    step: int
    orders: int
    deliveries: int
    columns: tuple[str, ...]
    unjudged: str = ""
    commands: tuple[str, ...] = ()
    stale: str = ""
    table: str = ""
    channel: Literal[Channel.STORE] = Channel.STORE
    kind: Literal["orders_explored"] = "orders_explored"

    @property
    def described(self) -> str:
        """What was tried and found, in words."""
        told = f"{self.orders} orders of events, {self.deliveries} deliveries"
        if not self.commands:
            return f"{told}: the newest state was there after each"
        return f"{told}; {self.stale} after: {' && '.join(self.commands)}"


@dataclass(frozen=True, slots=True)
class StoreChange:
    """What one step changed in one store; an empty ``tables`` means that the store was looked at and nothing changed.

    ``waited`` is how many seconds after the step the last look was taken. ``rows`` are those that the step has left,
    where the step asks for them; None says that they were too many to be told.
    """

    step: int
    source: str
    tables: tuple[TableChange, ...]
    exposures: tuple[Exposure, ...] = ()
    waited: float = 0.0
    rows: tuple[RowSeen, ...] | None = ()
    channel: Literal[Channel.STORE] = Channel.STORE


@dataclass(frozen=True, slots=True)
class LogLines:
    """The lines that one log gained during one step, sensitive values replaced."""

    step: int
    source: str
    lines: tuple[str, ...]
    exposures: tuple[Exposure, ...] = ()
    channel: Literal[Channel.LOG] = Channel.LOG


@dataclass(frozen=True, slots=True)
class Searched:
    """All of one source, searched from its beginning to its end.

    ``wanted`` is ``canaries`` or ``patterns``; ``pieces`` counts values or files, ``length`` their bytes. ``unread``
    lists what could not be read, and ``spent`` what was left when the time for the search was over. ``marked`` says
    whether the search saw what it must see in the right place; it is None where there is no such thing.
    """

    step: int
    source: str
    wanted: Literal["canaries", "patterns"]
    channel: Channel
    pieces: int
    length: int
    leaks: tuple[Leak, ...]
    unread: tuple[NotRead, ...] = ()
    marked: bool | None = None
    live: bool = False
    spent: tuple[str, ...] = ()
    kind: Literal["searched"] = "searched"

    def locate(self, place: Place) -> str:
        """Say where a place is in this source; a store's places begin with its name, which is not said twice."""
        return f"{self.channel} {self.source}, {str(place).removeprefix(f'{self.source} ')}"


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """How often one column holds a watched value: the ``which``-th of those of an attribute, such as ``last four``."""

    table: str
    column: str
    attribute: str
    which: int
    count: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How often each column of one store holds the values that are watched: ``before`` or ``after`` they were offered.

    A third count may follow a purge; of purges with another clock there are two for each table that they are ``about``:
    when its rows are not yet due (``early``), and when they are (``purged``). ``marked`` is of the second: whether
    every event that was offered left its id.
    """

    step: int
    source: str
    moment: Literal["before", "after", "early", "purged"]
    values: int
    columns: tuple[ColumnCount, ...]
    marked: bool | None = None
    channel: Literal[Channel.STORE] = Channel.STORE
    about: str = ""
    kind: Literal["counted"] = "counted"


@dataclass(frozen=True, slots=True)
class SuspectColumn:
    """A column, or a key in the JSON of one (``payload.card.number``), that could hold payment data, and why."""

    table: str
    column: str
    what: str
    why: str
    severity: Severity
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class ColumnsSeen:
    """The tables and columns of one store, and which of them could hold payment data."""

    step: int
    source: str
    tables: int
    columns: int
    suspects: tuple[SuspectColumn, ...]
    channel: Literal[Channel.STORE] = Channel.STORE
    kind: Literal["columns"] = "columns"


@dataclass(frozen=True, slots=True)
class Purged:
    """The target's own purge was run: how it ended and how long it took; its output is not kept.

    ``later`` is by how many days its clock was ahead.
    """

    step: int
    status: int
    seconds: float
    later: float = 0.0
    channel: Literal[Channel.STORE] = Channel.STORE
    kind: Literal["purged"] = "purged"


@dataclass(frozen=True, slots=True)
class InstanceStarted:
    """A second instance of the target was started, with one ``setting`` otherwise than it should be, or with none.

    ``value`` names what the setting got, such as ``empty``. ``status`` is that with which the instance has ended by
    itself; it is None of one that listens. ``seconds`` is how long either took.
    """

    step: int
    setting: Literal["", "secret", "api_key"]
    value: str
    status: int | None
    seconds: float
    channel: Literal[Channel.PROCESS] = Channel.PROCESS
    kind: Literal["instance_started"] = "instance_started"

    @property
    def told(self) -> str:
        """How the instance was started, in words."""
        if not self.setting:
            return "as it should be"
        return f"with {'the webhook secret' if self.setting == 'secret' else 'the API key'} {self.value}"

    @property
    def described(self) -> str:
        """The start in words."""
        came = "listened" if self.status is None else f"ended with status {self.status}"
        return f"an instance started {self.told} {came} after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class InstanceKilled:
    """A second instance of the target was killed while it had deliveries: ``cut_off`` of these got no answer.

    ``seconds`` is how long after they were let go or, where that was waited for, after a store had changed or the first
    delivery had been answered, which ``after`` says.
    """

    step: int
    deliveries: int
    cut_off: int
    seconds: float
    after: KillMoment = "sent"
    channel: Literal[Channel.PROCESS] = Channel.PROCESS
    kind: Literal["instance_killed"] = "instance_killed"

    @property
    def described(self) -> str:
        """The kill in words."""
        after = {"sent": "they were let go", "stored": "a store changed", "answered": "the first answer"}[self.after]
        cut_off = f"{self.cut_off} of {self.deliveries} deliveries got no answer"
        return f"an instance was killed {self.seconds:.3f} s after {after}: {cut_off}"


@dataclass(frozen=True, slots=True)
class MemorySeen:
    """How many bytes of memory the target's processes took ``before`` a step, and by how many that grew at most.

    ``largest`` is the length of the largest body that the step sent. Without a ``growth``, ``why`` says why it is not
    known.
    """

    step: int
    before: int
    growth: int | None
    largest: int
    why: str = ""
    channel: Literal[Channel.PROCESS] = Channel.PROCESS
    kind: Literal["memory"] = "memory"

    @property
    def described(self) -> str:
        """The growth in words, or why it is not known."""
        grew = self.why if self.growth is None else f"from {self.before:,} bytes by {self.growth:,}"
        return f"memory of the target's processes: {grew}"


@dataclass(frozen=True, slots=True)
class EntitlementSeen:
    """Whether somebody has what they would pay for, as the target shows it: ``told`` says where that was seen, and how.

    ``name`` is the entitlement's in the target file, ``whose`` that of the subject or of somebody else. ``spot`` is the
    place without what differs from run to run, ``waited`` how many seconds it was looked for, and ``after`` the last
    delivery before.
    """

    step: int
    name: str
    whose: Literal["subject", "other"]
    granted: bool
    told: str
    spot: str
    waited: float = 0.0
    after: str = ""
    channel: Literal[Channel.ENTITLEMENT] = Channel.ENTITLEMENT
    kind: Literal["entitlement"] = "entitlement"


@dataclass(frozen=True, slots=True)
class StripeCalls:
    """The calls to Stripe that arrived from a step's beginning to that of the next, in order.

    ``connections`` are those of the same time that had a fault or came to nothing.
    """

    step: int
    calls: tuple[StripeCall, ...]
    connections: tuple[StripeConnection, ...] = ()
    channel: Literal[Channel.STRIPE] = Channel.STRIPE


@dataclass(frozen=True, slots=True)
class StripeThing:
    """What an object at Stripe is: its kind, and its fields as texts."""

    kind: str
    fields: tuple[tuple[str, str], ...]

    def read(self, name: str) -> str | None:
        """Return a field, or None where it is not told."""
        return dict(self.fields).get(name)


@dataclass(frozen=True, slots=True)
class StripeState:
    """What the objects of a payment flow are at Stripe when a step has ended, oldest first of each kind.

    ``at`` is the time by their test clock, ``moment`` the name of the flow's moment that it has come to, ``order`` that
    in which its events were delivered.
    """

    step: int
    flow: str
    moment: str
    at: int
    things: tuple[StripeThing, ...]
    order: str = "as_caused"
    channel: Literal[Channel.STRIPE] = Channel.STRIPE
    kind: Literal["stripe_state"] = "stripe_state"

    @property
    def times(self) -> tuple[tuple[int, str], ...]:
        """The times that the objects have, in Unix seconds, with what they are called."""
        ends = [one.read(PERIOD_END) for one in self.things]
        return tuple((int(at), PERIOD_END) for at in ends if at is not None and at.isdecimal())

    def find(self, kind: str) -> tuple[StripeThing, ...]:
        """Return the objects of a kind, oldest first."""
        return tuple(one for one in self.things if one.kind == kind)


Observation = (
    Exchange
    | BurstSeen
    | StoreChange
    | LogLines
    | Searched
    | Counted
    | ColumnsSeen
    | Purged
    | InstanceStarted
    | InstanceKilled
    | OrdersExplored
    | MemorySeen
    | EntitlementSeen
    | StripeCalls
    | StripeState
)


def find_percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the value below which so many of a hundred sorted values are, and 0 where there is none."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0
