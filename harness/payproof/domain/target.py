"""The billing system under test, as its file describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import urlsplit

from payproof.domain.access import AccessContract, Lockout
from payproof.domain.calibration import Calibration
from payproof.domain.control import ControlEvents
from payproof.domain.entitlement import Entitlement
from payproof.domain.finding import Severity
from payproof.domain.observation import Channel
from payproof.domain.operation import KINDS, Operation, OperationContract, Principal, UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.subject import PREFIXES, Subject
from payproof.domain.wants import Gap

__all__ = [
    "LOOPBACK",
    "Budget",
    "Contract",
    "Environment",
    "Framework",
    "Kept",
    "KeptRows",
    "OpenApi",
    "ProcessSpec",
    "RejectionRecord",
    "RetentionSpec",
    "SeverityChange",
    "SourceSpec",
    "StoreFault",
    "StoreOutage",
    "Target",
    "Value",
    "Waiver",
    "Webhook",
]

#: Hosts on which plain HTTP leaves no machine.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

#: The web frameworks that a target file may name; empty where it is not known.
Framework = Literal[
    "", "flask", "django", "fastapi", "express", "nextjs", "hono", "rails", "laravel", "spring", "net_http"
]

_LONG_PASSWORD = 16  # a shorter one may well be a word, such as the "postgres" of many a development machine


class Environment(StrEnum):
    """The place where the target runs; on ``production`` only scenarios that change nothing run."""

    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Webhook:
    """The route that takes Stripe's events, the secrets that sign for it, and the events' API version.

    With ``connect`` it is an endpoint for Connect too, to which Stripe sends the events of connected accounts.
    """

    path: str
    secret: Secret
    api_version: str
    previous_secret: Secret | None = None
    retired_secret: Secret | None = None
    livemode: bool = False
    connect: bool = False


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A place to watch: ``url`` by scheme, and without the ``password`` that it came with.

    ``ignore`` are tables that change by themselves, or that cannot be read; ``rejection_log`` are tables in which
    rejected deliveries may leave a record. A ``busy`` store is changed by others during the run, so only rows that
    carry the run's own ids are judged in it.
    """

    name: str
    url: str
    ignore: tuple[str, ...] = ()
    rejection_log: tuple[str, ...] = ()
    busy: bool = False
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class RejectionRecord:
    """How a log line tells of a rejected delivery.

    ``match`` are the fields and values that mark such a line; the others name the fields that hold the cause category,
    the time, the origin and the result. A dot reaches into a nested object.
    """

    match: Mapping[str, str]
    cause: str
    time: str
    origin: str
    result: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A column that looks as if it held payment data, or that holds personal data, and why; ``*`` is any text."""

    table: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """Another severity for problems of a rule (``*`` is any text), and why; where given, only of a kind or a spot."""

    rule: str
    severity: Severity
    reason: str
    kind: str = ""
    spot: str = ""


#: What stands in a column of a row that is planted.
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class KeptRows:
    """How long a table's rows are kept: ``days`` after the time from which their age counts.

    That is the time of the ``event`` of this type that makes one or, where it counts ``from_arrival``, the time at
    which such an event came. Rows that no event makes are written with ``values``, in which ``{id}`` stands for a
    made-up id, ``{time}`` for the time in Unix seconds and ``{date}`` for it as date and time of UTC. ``stays`` are
    types of events whose rows are kept however old they are, ``stays_with`` values that make a written row such a one.
    Without an event and without values no row can be planted.
    """

    table: str
    days: int
    event: str = ""
    stays: tuple[str, ...] = ()
    from_arrival: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)
    stays_with: tuple[Mapping[str, Value], ...] = ()

    @property
    def planted(self) -> Literal["delivered", "recorded", "written", ""]:
        """How a row is planted: delivered as an old event, recorded now and aged by the purge's clock, or written."""
        if self.event:
            return "recorded" if self.from_arrival else "delivered"
        return "written" if self.values else ""

    @property
    def margin(self) -> float:
        """How many days before and after its limit a row is looked at."""
        return min(2, self.days / 2)


@dataclass(frozen=True, slots=True)
class RetentionSpec:
    """How long rows are kept, and the command that removes what is due, run in ``folder``.

    ``environment`` are variables that the command gets beside those of this process; ``seconds`` is its time limit.
    ``purge_at`` is a command that purges as if it were later: ``{time}`` stands for that time in Unix seconds,
    ``{seconds}`` for how much later it is. ``writer`` is the database by a role that may write rows.
    """

    purge: tuple[str, ...]
    rows: tuple[KeptRows, ...]
    folder: str = "."
    seconds: float = 60.0
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    purge_at: tuple[str, ...] = ()
    writer: SourceSpec | None = None


#: What may befall a store beside an outage, by the name of its table in [store_faults]: its server is stopped, as by a
#: crash, and nobody listens; it restarts, so that all connections are cut and new ones are taken at once; it has no
#: connection left; it takes no change, as a replica; somebody else holds the locks of all tables, as a migration does;
#: its statements are cancelled, as by a timeout of the server; its disk is full; it writes a change, and the connection
#: is cut before it says so.
StoreFault = Literal[
    "stopped",
    "restarted",
    "no_connections",
    "read_only",
    "locked",
    "statement_timeout",
    "disk_full",
    "cut_in_commit",
]


@dataclass(frozen=True, slots=True)
class StoreOutage:
    """How the target's store is made to refuse, and to work again.

    Either by two commands, ``down`` and ``up``, or by one that holds it down: ``hold`` prints the line ``down`` once it
    is, and brings it back when its standard input ends. They are run in ``folder``, with ``environment`` beside the
    variables of this process; ``seconds`` is the time limit of each.
    """

    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    hold: tuple[str, ...] = ()
    folder: str = "."
    seconds: float = 60.0
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How the target is started, so that Payproof can start a second instance beside the one that runs.

    ``start`` is a command that goes on as long as the instance does; it is run in ``folder``, with the variables of
    ``environment`` and a few of the machine's, such as PATH, and no others. ``{port}`` in both stands for the port at
    which the instance is to listen, on the target's host; it is also the value of ``port_variable``.
    ``secret_variable`` and ``api_key_variable`` are the variables from which the target takes the webhook's secret and
    Stripe's API key. The instance is ready when its port takes connections or, with ``ready``, when that path answers
    with a status below 500; ``seconds`` is how long that may take. A target that ``refuses_live_keys`` promises not to
    work with one outside production. ``restart`` is a command, run with the same
    variables, after which the target itself runs again.
    """

    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    folder: str = "."
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: str = ""
    seconds: float = 60.0
    port_variable: str = ""
    secret_variable: str = ""
    api_key_variable: str = ""
    refuses_live_keys: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A channel that the target's owner gives no access to, with the reason; every report repeats it."""

    channel: Channel
    reason: str


@dataclass(frozen=True, slots=True)
class Contract:
    """The promises of this target where Stripe leaves room.

    ``answer_within`` and ``effect_within`` are seconds; ``settle`` is how long a step that must change nothing is
    watched at least; ``sdk`` is the official Stripe library that verifies signatures, if one does, and
    ``framework`` the web framework in whose words remedies are told. ``keeps`` are columns that are allowed though
    they look as if they held payment data, ``severities`` change how grave problems are, ``kept_rows`` says how long
    rows are kept. ``without_store`` are the statuses that say that nothing can be kept at the moment. ``handles`` are
    the types of events that have an effect, with ``*`` for any text, and None where that is not known; ``ignores`` is
    what the others get, where the target promises that. ``mirrors`` are columns (``subscriptions.status``) that hold
    what a field of Stripe's objects says (``subscription.status``), always.
    """

    rejected: frozenset[int] = frozenset({400, 401, 403})
    answer_within: float = 10.0
    effect_within: float = 5.0
    settle: float = 0.0
    sdk: str | None = None
    framework: Framework = ""
    rejection_record: RejectionRecord | None = None
    waivers: tuple[Waiver, ...] = ()
    keeps: tuple[Kept, ...] = ()
    severities: tuple[SeverityChange, ...] = ()
    kept_rows: tuple[KeptRows, ...] = ()
    without_store: frozenset[int] = frozenset({503})
    handles: tuple[str, ...] | None = None
    ignores: Literal["2xx", "4xx"] | None = None
    mirrors: Mapping[str, str] = field(default_factory=dict)
    operations: OperationContract = field(default_factory=OperationContract)
    access: AccessContract = field(default_factory=AccessContract)
    lockout: Lockout | None = None

    def is_handled(self, event: str) -> bool:
        """Whether an event of a type must have an effect; where nothing is known of it, it must."""
        return self.handles is None or any(fnmatchcase(event, one) for one in self.handles)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits that end a case as Errored, never the run: requests and seconds for each case, bytes for each answer.

    ``search_seconds`` is for each search of all stores, logs or files, and does not count as the case's. With an
    ``effort`` of 3, three times as many requests are made up as usual, and may take three times as long. A ``patience``
    of 3 gives each case, and what makes requests up, three times as many seconds: for slow targets and busy machines.
    """

    case_requests: int = 300
    case_seconds: float = 60.0
    search_seconds: float = 600.0
    answer_bytes: int = 2 * 1024 * 1024
    evidence_characters: int = 65_536
    effort: float = 1.0
    patience: float = 1.0

    @property
    def seconds_of_case(self) -> float:
        """Return how long a case may take beside its searches and what makes requests up, and so each look of it."""
        return self.case_seconds * self.patience

    def scale_requests(self, requests: int) -> int:
        """Return how many requests a step may send beside the case's own, of those that it brings for itself."""
        return int(requests * self.effort)

    def scale_seconds(self, seconds: float) -> float:
        """Return how long a step may take beside the case's own time, of the seconds that it brings for itself."""
        return seconds * max(1.0, self.effort) * self.patience


@dataclass(frozen=True, slots=True)
class OpenApi:
    """The target's own description of what it can be asked for: where it is, and, once it was read, what it says.

    ``place`` is a path below the target, or the name of a file.
    """

    place: str
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The billing system under test; ``url`` is its base, ``hosts`` are further ``host:port`` that may be sent to.

    ``files`` are further places in which the target leaves data: caches, dumps, temporary folders.
    ``routes`` are methods and paths that it has beside the webhook and the operations, such as ``GET /invoices``.
    ``principals`` are those who may ask, the one with the most rights first. ``entitlements`` are what it gives to
    those who pay, ``endpoints`` further routes for events of Stripe's, each with a secret of its own. ``control`` is
    the genuine event that must show an effect, None where it is to be found out; ``calibration`` is what was learnt
    before the first case.
    ``scenarios`` are folders of rules that the target's owner has written.
    """

    name: str
    url: str
    environment: Environment
    webhook: Webhook
    hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    api_key: Secret | None = None
    publishable_key: str | None = None
    stores: tuple[SourceSpec, ...] = ()
    logs: tuple[SourceSpec, ...] = ()
    files: tuple[SourceSpec, ...] = ()
    retention: RetentionSpec | None = None
    store_outage: StoreOutage | None = None
    store_faults: Mapping[StoreFault, StoreOutage] = field(default_factory=dict)
    process: ProcessSpec | None = None
    contract: Contract = field(default_factory=Contract)
    budget: Budget = field(default_factory=Budget)
    upstream: UpstreamSpec | None = None
    operations: Mapping[str, Operation] = field(default_factory=dict)
    principals: Mapping[str, Principal] = field(default_factory=dict)
    entitlements: Mapping[str, Entitlement] = field(default_factory=dict)
    endpoints: Mapping[str, Webhook] = field(default_factory=dict)
    routes: tuple[str, ...] = ()
    openapi: OpenApi | None = None
    subject: Subject = field(default_factory=Subject)
    control: ControlEvents | None = None
    calibration: Calibration = field(default_factory=Calibration)
    scenarios: tuple[str, ...] = ()

    def operation(self, wanted: str) -> Operation | None:
        """Return the operation of a name, or the first of a kind that the target file describes."""
        return next((self.operations[name] for name in KINDS.get(wanted, (wanted,)) if name in self.operations), None)

    def tell_unclear(self, event: str) -> Gap | None:
        """Return that it is not known whether a type of event is handled, or nothing."""
        if event not in self.calibration.unclear:
            return None
        why = f"whether the target handles {event} was not found out: list what it handles in handles of [contract]"
        return Gap(why, ("[contract] handles",))

    @property
    def recurring_prices(self) -> tuple[str, ...]:
        """The prices of subscriptions that the target knows: its subject's first, then those of its upstream."""
        own = self.subject.ids.get(PREFIXES["price"], "")
        known = () if self.upstream is None else self.upstream.prices.items()
        return tuple(dict.fromkeys(filter(None, [own, *(name for name, price in known if price.recurring)])))

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def first_principal(self) -> Principal | None:
        """Who has the most rights."""
        return next(iter(self.principals.values()), None)

    @property
    def webhook_paths(self) -> tuple[str, ...]:
        """The paths of the webhook and of the further endpoints, as the file has them: only signed events get in."""
        return tuple(one.path for one in (self.webhook, *self.endpoints.values()))

    @property
    def listed(self) -> tuple[tuple[str, str], ...]:
        """Every method and path that the file tells of, each once; what stands for an id has no name there."""
        told = [f"POST {one}" for one in self.webhook_paths]
        told += self.routes
        told += [f"{one.method} {one.path}" for one in self.operations.values()]
        bare = dict.fromkeys(re.sub(r"\{[^}/]*\}", "{}", route) for route in told)
        return tuple((method, path) for method, _, path in (route.partition(" ") for route in bare))

    @property
    def allowed(self) -> frozenset[str]:
        """Every ``host:port`` that the harness may send to."""
        parts = urlsplit(self.url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        return self.hosts | {f"{parts.hostname}:{port}"}

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that the target file configures, without passwords that chance could find in any text."""
        hook = self.webhook
        found: tuple[Secret | None, ...] = (hook.secret, hook.previous_secret, hook.retired_secret, self.api_key)
        found += tuple(one.secret for one in self.endpoints.values())
        found += tuple(one.principal.credential for one in self.operations.values() if one.principal is not None)
        found += tuple(one.credential for one in self.principals.values())
        found += (None if self.upstream is None else self.upstream.key,)
        writer = () if self.retention is None or self.retention.writer is None else (self.retention.writer,)
        sources = (*self.stores, *self.logs, *writer)
        passwords = (source.password for source in sources if source.password is not None)
        return (
            *(secret for secret in found if secret is not None),
            *(password for password in passwords if len(password.reveal()) >= _LONG_PASSWORD),
        )
