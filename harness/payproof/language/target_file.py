"""The target file: TOML to ``Target``."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from payproof.domain.access import AccessContract
from payproof.domain.address import without_password
from payproof.domain.control import ControlEvent, ControlEvents
from payproof.domain.finding import Severity
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.operation import OPERATIONS, OperationContract, Principal
from payproof.domain.sensitive import LIVE_KEYS, Secret, other_than_api_key, other_than_signing_secret
from payproof.domain.subject import PREFIXES, Subject
from payproof.domain.target import (
    LOOPBACK,
    Budget,
    Contract,
    Environment,
    Framework,
    Kept,
    OpenApi,
    ProcessSpec,
    RejectionRecord,
    RetentionSpec,
    SeverityChange,
    SourceSpec,
    StoreFault,
    Target,
    Waiver,
    Webhook,
)
from payproof.domain.urls import quote_path
from payproof.errors import ConfigurationError
from payproof.language.access_tables import LockoutTable, RefusalsTable, check_access
from payproof.language.entitlement_table import EntitlementTable, check_entitlements, read_entitlement
from payproof.language.file_model import FileModel
from payproof.language.openapi import read_openapi
from payproof.language.operation_tables import (
    OperationTable,
    PrincipalTable,
    UpstreamTable,
    check_operations,
    operation,
    principal,
    upstream,
)
from payproof.language.outage_table import StoreOutageTable
from payproof.language.problems import (
    Locator,
    locate_in_toml,
    parse_toml,
    read_text,
    refuse_all,
    told_at_once,
    without_unknown_keys,
)
from payproof.language.process_table import ProcessTable
from payproof.language.retention_table import RetentionTable, read_kept_rows
from payproof.registry import checks, log_sources, nearest, store_sources, table_sources

__all__ = ["read_scenario_folders", "read_target", "target_schema"]

_DIALECTS = {"mariadb": "mysql", "postgres": "postgresql"}  # other names of the same databases
_WRITABLE = {"mysql": None, "postgresql": None, "sqlite": None}  # databases that rows can be written into
_ASKED_OF_IT = "it must hold the endpoint's signing secret (whsec_...)"
_CONTRACT, _OPERATIONS, _BUDGET = Contract(), OperationContract(), Budget()  # what is usual
_RULE = re.compile(r"[\w*-]+/[\w*-]+|\*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VALUE = re.compile(r"(?:whsec|[rsp]k)_")  # how Stripe's secrets begin
_SHORTEST_SECRET = 8  # a shorter one could not be told from chance in a log


#: Parts that refer to each other by names.
_JOINED = frozenset({"entitlements", "operations", "principals", "upstream"})
#: What stands for a part that must be there and is wrong, while the others are looked at.
_STAND_INS: dict[str, Any] = {
    "name": "unnamed",
    "environment": "local",
    "webhook": {"path": "/", "secret_env": "NONE", "api_version": ""},
}

_Arguments = ParamSpec("_Arguments")
_Read = TypeVar("_Read")


def _sort_statuses(statuses: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted(statuses))


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("a base URL such as https://billing.staging.example")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or not url.isprintable():
        raise ValueError("only scheme, host and port; the webhook's path goes into [webhook] path")
    _ = parts.port
    return url.rstrip("/")


def _path(path: str) -> str:
    if not path.startswith("/") or quote_path(path) != path:
        raise ValueError("a path that starts with '/', such as /webhooks/stripe, in ASCII, without spaces and '#'")
    return path


def _route(route: str) -> str:
    method, _, path = route.partition(" ")
    if not method.isascii() or not method.isupper() or not method.isalpha():
        raise ValueError("a method and a path, such as GET /invoices")
    return f"{method} {_path(path)}"


def _host(host: str) -> str:
    name, _, port = host.rpartition(":")
    if not name or not port.isdigit():
        raise ValueError("a host with its port, such as billing.staging.example:8443")
    return host


class _WebhookTable(FileModel):
    """The route that takes Stripe's events. Secrets are named by environment variables, never written here."""

    path: Annotated[str, AfterValidator(_path)]
    secret_env: str = Field(description="variable that holds the endpoint's signing secret (whsec_...)")
    api_version: str = Field(description="API version of the endpoint's events")
    previous_secret_env: str | None = Field(None, description="the secret before a rotation, still in its window")
    retired_secret_env: str | None = Field(None, description="a secret whose window is over")
    livemode: bool = False
    connect: bool = Field(default=False, description="it gets the events of connected accounts too (Stripe Connect)")


class _EndpointTable(FileModel):
    """A further route that takes events of Stripe's, with a secret of its own: for Connect, or for the other mode."""

    path: Annotated[str, AfterValidator(_path)]
    secret_env: str = Field(description="variable that holds this endpoint's signing secret (whsec_...)")
    livemode: bool = False
    connect: bool = Field(default=False, description="it gets the events of connected accounts (Stripe Connect)")


class _SourceTable(FileModel):
    """A database or log to watch. A URL that holds a password is named by a variable, never written here."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["url"]}, {"required": ["url_env"]}]})

    name: str
    url: str | None = Field(None, description="such as sqlite:billing.db, postgresql://USER@HOST/DATABASE, file:LOG")
    url_env: str | None = Field(None, description="variable that holds the URL, for one with a password")
    ignore: tuple[str, ...] = Field((), strict=False, description="tables that change by themselves or cannot be read")
    rejection_log: tuple[str, ...] = Field((), strict=False, description="tables that may record rejected deliveries")
    busy: bool = Field(default=False, description="others change it too: judge only rows with the run's own ids")

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("either url, or url_env for a URL with a password")
        return self


class _FilesTable(FileModel):
    """A further place in which the target leaves data: a cache, dumps, temporary files, a database's own files."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["url"]}, {"required": ["url_env"]}]})

    name: str
    url: str | None = Field(
        None, description="file:PATH of a file, a folder, or with * of several; or a database such as redis://HOST/0"
    )
    url_env: str | None = Field(None, description="variable that holds the URL, for one with a password")

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("either url, or url_env for a URL with a password")
        return self


class _KeepsTable(FileModel):
    """A column that is kept though it looks as if it held payment data; * stands for any text in names."""

    table: str
    column: str
    reason: str = Field(min_length=10)


def _rule(rule: str) -> str:
    if not _RULE.fullmatch(rule):
        raise ValueError("a rule such as error_handling/disclosure, or with * for any text: webhook_signature/*")
    return rule


def _kind(kind: str) -> str:
    known = [*map(str, Kind), *checks()]  # a check that names no kind of its own is one
    if kind not in known:
        close = get_close_matches(kind, known, n=1)
        raise ValueError(f"did you mean {close[0]!r}?" if close else "a kind of a problem, as reports name it")
    return kind


class _SeverityTable(FileModel):
    """Another severity for the problems of a rule, and why; where given, only of a kind or a spot."""

    rule: Annotated[str, AfterValidator(_rule)] = Field(description="such as error_handling/disclosure; * for any text")
    severity: Literal["low", "medium", "high", "critical"]
    reason: str = Field(min_length=10, description="every report repeats it")
    kind: Annotated[str, AfterValidator(_kind)] = Field("", description="what was seen, as reports name it")
    spot: str = Field("", description="where it was seen, as reports name it")


class _RejectionRecordTable(FileModel):
    """How a JSON log line tells of a rejected delivery; a dot reaches into a nested object."""

    match: dict[str, str] = Field(min_length=1)
    cause: str
    time: str
    origin: str
    result: str


Statuses = Annotated[tuple[Annotated[int, Field(ge=200, le=599)], ...], Field(strict=False, min_length=1)]


class _OperationContractTable(FileModel):
    """What this target promises of its operations: how it answers, and what it does later."""

    declined: Statuses = Field(
        _sort_statuses(_OPERATIONS.declined), description="statuses that say: the card was declined"
    )
    refused: Statuses = Field(
        _sort_statuses(_OPERATIONS.refused), description="statuses that say: Stripe refused the request"
    )
    misconfigured: Statuses = Field(
        _sort_statuses(_OPERATIONS.misconfigured), description="statuses that say: Stripe refused the key"
    )
    unavailable: Statuses = Field(
        _sort_statuses(_OPERATIONS.unavailable), description="statuses that say: Stripe is out of reach"
    )
    pending: Statuses = Field(
        _sort_statuses(_OPERATIONS.pending), description="statuses that say: it will be done later"
    )
    answer_within: float = Field(
        _OPERATIONS.answer_within, gt=0, le=120, description="seconds, repetitions included", strict=False
    )
    completed_within: float = Field(
        _OPERATIONS.completed_within, gt=0, le=300, description="seconds after Stripe's return", strict=False
    )
    reference: str | None = Field(
        _OPERATIONS.reference, description="where an answer names its reference, such as error.reference"
    )
    breaker_after: int | None = Field(
        _OPERATIONS.breaker_after, ge=1, le=50, description="failures in a row, then Stripe is left alone"
    )
    breaker_rest: float = Field(
        _OPERATIONS.breaker_rest, gt=0, le=60, description="seconds for which it is left alone", strict=False
    )
    logged: tuple[str, ...] = Field(
        tuple(sorted(_OPERATIONS.logged)), strict=False, description="what of Stripe's errors is logged"
    )


class _FuzzingTable(FileModel):
    """How much is made up."""

    effort: float = Field(_BUDGET.effort, ge=0.1, le=100, description="times as many requests as usual", strict=False)


class _ContractTable(FileModel):
    """What this target promises where Stripe leaves room."""

    rejected: tuple[Annotated[int, Field(ge=400, le=499)], ...] = Field(
        _sort_statuses(_CONTRACT.rejected), strict=False, min_length=1
    )
    answer_within: float = Field(_CONTRACT.answer_within, gt=0, le=60, description="seconds", strict=False)
    effect_within: float = Field(_CONTRACT.effect_within, gt=0, le=60, description="seconds", strict=False)
    settle: float = Field(_CONTRACT.settle, ge=0, le=30, description="seconds", strict=False)
    sdk: Literal["python", "node", "go", "ruby", "java", "php", "dotnet"] | None = None
    framework: Framework = Field(_CONTRACT.framework, description="in whose words remedies are told")
    rejection_record: _RejectionRecordTable | None = None
    keeps: tuple[_KeepsTable, ...] = Field(
        (), strict=False, description="columns that look as if they held payment data"
    )
    severities: tuple[_SeverityTable, ...] = Field(
        (), strict=False, description="other severities than usual, each with its reason"
    )
    without_store: Statuses = Field(
        _sort_statuses(_CONTRACT.without_store), description="statuses that say: nothing can be kept now"
    )
    handles: tuple[str, ...] | None = Field(
        None, strict=False, description="types of events that have an effect, * for any text; found out where missing"
    )
    ignores: Literal["2xx", "4xx"] | None = Field(None, description="what the other types are answered")
    mirrors: dict[
        Annotated[str, Field(pattern=r"^\w+\.\w+$")], Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z]+)?/[a-z_]+$")]
    ] = Field(
        default_factory=dict,
        description="columns that hold what Stripe says: 'subscriptions.status' = 'subscription/status'",
    )
    operations: _OperationContractTable = _OperationContractTable()
    access: RefusalsTable = RefusalsTable()
    lockout: LockoutTable | None = Field(None, description="what becomes of who guesses a credential")


class _SubjectTable(FileModel):
    """Whom the events are about: a test customer that the target knows."""

    customer: str = Field("", pattern=r"^(cus_\w+)?$", description="its id at Stripe, cus_...")
    subscription: str = Field("", pattern=r"^(sub_\w+)?$")
    price: str = Field("", pattern=r"^\w*$", description="a price that the target knows, such as price_...")
    product: str = Field("", pattern=r"^\w*$")
    account: str = Field("", pattern=r"^(acct_\w+)?$", description="the Stripe account, where the target checks it")
    invoice: str = Field("", pattern=r"^(in_\w+)?$")
    payment_intent: str = Field("", pattern=r"^(pi_\w+)?$")
    payment_method: str = Field("", pattern=r"^(pm_\w+)?$")
    charge: str = Field("", pattern=r"^(ch_\w+)?$")
    email: str = Field("", pattern=r"^(\S+@\S+)?$")
    reference: str = Field("", description="the client_reference_id of its checkouts")
    metadata: dict[str, str] = Field(default_factory=dict, description="what the target's objects at Stripe carry")
    find: str = Field("", description="a column such as users.stripe_customer_id; its first customer is taken")
    make: str = Field("", description="an operation that makes the customer")

    def read(self) -> Subject:
        """Return the domain's subject."""
        keys = dict(self)
        return self.mean(Subject, ids={prefix: keys[name] for name, prefix in PREFIXES.items() if keys[name]})


class _ControlTable(FileModel):
    """A genuine event that must show an effect; where it has none twice, the alternate that undoes what it did."""

    event: str
    set: dict[str, Any] = Field(default_factory=dict, description="values at dotted paths of the event's object")
    alternate: str | None = None
    alternate_set: dict[str, Any] = Field(default_factory=dict)

    def read(self) -> ControlEvents:
        """Return the domain's control events."""
        alternate = None if self.alternate is None else ControlEvent(self.alternate, self.alternate_set)
        return ControlEvents(ControlEvent(self.event, self.set), alternate)


class _BudgetTable(FileModel):
    """How long a search of all that is at rest may take, and a case."""

    search_seconds: float = Field(
        _BUDGET.search_seconds,
        gt=0,
        le=86_400,
        strict=False,
        description="for each search of all stores, logs or files; what is left then is unknown, not passed",
    )
    patience: float = Field(
        _BUDGET.patience,
        ge=1,
        le=100,
        strict=False,
        description="times as many seconds as usual for each case, where the target is slow",
    )


class _WaiverTable(FileModel):
    """A channel without access, with the reason."""

    channel: Literal["store", "log", "stripe"]
    reason: str = Field(min_length=10)


class TargetEntry(FileModel):
    """A billing system under test."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["url"]}, {"required": ["url_env"]}]})

    name: str = Field(min_length=1)
    url: Annotated[str, AfterValidator(_base_url)] | None = Field(None, description="its base: scheme, host and port")
    url_env: str | None = Field(None, description="variable that holds the URL, where only the run knows the port")
    environment: Literal["local", "staging", "production"]
    ca_file: str | None = None
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field((), strict=False)
    api_key_env: str | None = Field(None, description="variable that holds the target's Stripe test key (sk_test_...)")
    publishable_key: Annotated[str, Field(pattern="^pk_test_")] | None = Field(None, description="not a secret")
    webhook: _WebhookTable
    endpoints: dict[str, _EndpointTable] = Field(
        default_factory=dict, description="further endpoints, each with a secret of its own"
    )
    subject: _SubjectTable = _SubjectTable()
    control: _ControlTable | None = None
    stores: tuple[_SourceTable, ...] = Field((), strict=False)
    logs: tuple[_SourceTable, ...] = Field((), strict=False)
    files: tuple[_FilesTable, ...] = Field((), strict=False)
    retention: RetentionTable | None = None
    store_outage: StoreOutageTable | None = None
    store_faults: dict[StoreFault, StoreOutageTable] = Field(
        default_factory=dict, description="how the database comes to have a fault, by its name"
    )
    process: ProcessTable | None = None
    contract: _ContractTable = _ContractTable()
    budget: _BudgetTable = _BudgetTable()
    waive: tuple[_WaiverTable, ...] = Field((), strict=False)
    upstream: UpstreamTable | None = None
    principals: dict[str, PrincipalTable] = Field(default_factory=dict)
    operations: dict[str, OperationTable] = Field(default_factory=dict)
    entitlements: dict[str, EntitlementTable] = Field(
        default_factory=dict, description="what is given to those who pay, each under a name of its own"
    )
    fuzzing: _FuzzingTable = _FuzzingTable()
    openapi: str | None = Field(
        None, min_length=1, description="the target's OpenAPI: a file, or where there is none, a path below the target"
    )
    routes: tuple[Annotated[str, AfterValidator(_route)], ...] = Field(
        (), strict=False, description="what else the target can be asked for, such as GET /invoices"
    )
    scenarios: tuple[str, ...] = Field(
        (), strict=False, description="folders of scenarios of your own, which run beside those of Payproof"
    )


def target_schema() -> dict[str, Any]:
    """Return the JSON Schema of a target file."""
    schema = TargetEntry.model_json_schema()
    schema["properties"]["operations"]["propertyNames"] = {"enum": sorted(OPERATIONS)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Payproof target file"}


def read_target(path: Path, environment: Mapping[str, str] = os.environ) -> Target:
    """Read a target file; secrets come from ``environment``, paths are relative to the file.

    Raises:
        ConfigurationError: the file is missing, malformed, or asks for what cannot or must not be; all of it at once.
    """
    text = read_text(path, "target file")
    content = parse_toml(text, path)
    return TargetReader(path, locate_in_toml(text), environment).read(content)


def read_scenario_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders of scenarios that a target file names; its secrets are not asked for.

    Raises:
        ConfigurationError: the file is missing or malformed, or names no folders.
    """
    text = read_text(path, "target file")
    named = parse_toml(text, path).get("scenarios", [])
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        line = locate_in_toml(text)(["scenarios"])
        hint = 'such as scenarios = ["billing-rules/"]'
        raise ConfigurationError("'scenarios' is not right", hint=hint, file=path, line=line)
    return tuple(path.parent / one for one in named)


class TargetReader:
    """One reading of a target file, which finds all that is wrong in it.

    ``shown`` stands in its place in what is told, if what is read is no file; ``tell`` says what pydantic objects to.
    """

    def __init__(
        self,
        path: Path,
        locate: Locator,
        environment: Mapping[str, str],
        shown: str = "",
        tell: Callable[[ValidationError, str, Locator, type[BaseModel]], list[ConfigurationError]] = refuse_all,
    ) -> None:
        self._path, self._locate, self._environment, self._shown = path, locate, environment, shown or str(path)
        self._tell = tell
        self._mistakes: list[ConfigurationError] = []
        self._wrong_parts: frozenset[str] = frozenset()

    def read(self, content: dict[str, Any]) -> Target:
        """Return the domain's target.

        Raises:
            ConfigurationError: it asks for what cannot or must not be; each mistake is told, and no consequence of one.
        """
        target = self._target(self._entry(content))
        if target is None or self._mistakes:
            raise told_at_once(self._mistakes)
        return target

    def _entry(self, content: dict[str, Any]) -> TargetEntry:
        """Return the file's form, in which parts that are wrong are left out, or stood in for."""
        try:
            return TargetEntry.model_validate(content)
        except ValidationError as error:
            self._mistakes += self._tell(error, self._shown, self._locate, TargetEntry)
            known = without_unknown_keys(content, error)
            misspelt = [one["loc"] for one in error.errors(include_url=False) if one["type"] == "extra_forbidden"]
            # What a misspelt part would have said is not known, nor how the operations hang together.
            meant = {
                near for place in misspelt for near in get_close_matches(str(place[0]), TargetEntry.model_fields, n=1)
            }
            self._wrong_parts = frozenset(meant - {str(place[0]) for place in misspelt if place[0] not in _JOINED})
        try:
            return TargetEntry.model_validate(known)
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors(include_url=False)}
        self._wrong_parts |= wrong
        right = {key: value for key, value in known.items() if key not in wrong}
        return TargetEntry.model_validate(right | {key: _STAND_INS[key] for key in wrong & _STAND_INS.keys()})

    def _part(
        self,
        parts: Iterable[str],
        read: Callable[_Arguments, _Read],
        *given: _Arguments.args,
        **more: _Arguments.kwargs,
    ) -> _Read | None:
        """Return what is read of some parts of the file, or note the mistake in it; nothing where a part is wrong."""
        if not self._wrong_parts.isdisjoint(parts):
            return None
        try:
            return read(*given, **more)
        except ConfigurationError as error:
            # A variable with a wrong value, or none, is one mistake, however many keys name it.
            if error.problem not in {one.problem for one in self._mistakes}:
                self._mistakes.append(error)
            return None

    def _target(self, entry: TargetEntry) -> Target | None:
        """Return the domain's target, or None where there are mistakes."""
        url = self._part(["url", "url_env"], self._url, entry)
        webhook = self._part(["webhook"], self._webhook, entry.webhook)
        endpoints = {
            name: self._part(["endpoints", "webhook"], self._endpoint, name, one, webhook)
            for name, one in entry.endpoints.items()
        }
        places: dict[str, object] = {"file": None, **table_sources()}
        for problem in check_operations(entry.operations, entry.principals, entry.upstream):
            self._part(["operations", "principals", "upstream"], self._refuse, *problem)
        for problem in check_entitlements(entry.entitlements, entry.principals, entry.operations):
            self._part(["entitlements", "operations", "principals"], self._refuse, *problem)
        for problem in check_access(entry.operations, entry.principals, entry.contract.lockout):
            self._part(["operations", "principals", "contract"], self._refuse, *problem)
        principals = {
            name: self._part(["principals"], self._principal, name, one) for name, one in entry.principals.items()
        }
        ca_file = entry.ca_file and self._part(["ca_file"], self._existing, entry.ca_file, ["ca_file"])
        api_key = self._part(["api_key_env"], self._secret, entry.api_key_env, "Stripe API key", ["api_key_env"])
        stores, logs, files = (
            [self._part([kind], self._source, one, [kind, index], known) for index, one in enumerate(tables)]
            for kind, tables, known in (
                ("stores", entry.stores, store_sources()),
                ("logs", entry.logs, log_sources()),
                ("files", [_SourceTable(**dict(one)) for one in entry.files], places),
            )
        )
        retention = entry.retention and self._part(["retention"], self._retention, entry.retention)
        host = urlsplit(url or "").hostname or ""
        process = entry.process and self._part(["process", "url", "url_env"], self._process, entry.process, host)
        key = None if entry.upstream is None else self._part(["upstream"], self._upstream_key, entry.upstream)
        openapi = entry.openapi and self._part(["openapi"], self._openapi, entry.openapi)
        subject = self._part(["subject", "operations"], self._subject, entry)
        if self._mistakes:
            return None
        assert url is not None
        assert webhook is not None
        assert subject is not None
        asking = {name: one for name, one in principals.items() if one is not None}
        stripe = None if entry.upstream is None else upstream(entry.upstream, key=key, beside=self._path.parent)
        return entry.mean(
            Target,
            url=url,
            environment=Environment(entry.environment),
            webhook=webhook,
            endpoints={name: one for name, one in endpoints.items() if one is not None},
            ca_file=ca_file or None,
            api_key=api_key,
            stores=tuple(filter(None, stores)),
            logs=tuple(filter(None, logs)),
            files=tuple(filter(None, files)),
            retention=retention,
            store_outage=None if entry.store_outage is None else entry.store_outage.outage(str(self._path.parent)),
            store_faults={name: one.outage(str(self._path.parent)) for name, one in entry.store_faults.items()},
            process=process,
            contract=self._contract(entry),
            budget=entry.budget.mean(Budget, effort=entry.fuzzing.effort),
            upstream=stripe,
            operations={name: operation(name, one, asking) for name, one in entry.operations.items()},
            principals=asking,
            entitlements={
                name: read_entitlement(name, one, asking, subject, stripe) for name, one in entry.entitlements.items()
            },
            openapi=openapi or None,
            subject=subject,
            control=None if entry.control is None else entry.control.read(),
            scenarios=tuple(str(self._path.parent / folder) for folder in entry.scenarios),
        )

    def _webhook(self, hook: _WebhookTable) -> Webhook | None:
        """Return the domain's webhook; each of its secrets may be wrong by itself."""
        secret, previous, retired = (
            self._part([], self._secret, variable, label, ["webhook", key])
            for key, variable, label in (
                ("secret_env", hook.secret_env, "webhook secret"),
                ("previous_secret_env", hook.previous_secret_env, "previous webhook secret"),
                ("retired_secret_env", hook.retired_secret_env, "retired webhook secret"),
            )
        )
        if secret is None:
            return None
        return hook.mean(Webhook, secret=secret, previous_secret=previous, retired_secret=retired)

    def _endpoint(self, name: str, table: _EndpointTable, webhook: Webhook | None) -> Webhook | None:
        place = ["endpoints", name, "secret_env"]
        secret = self._secret(table.secret_env, f"{name} webhook secret", place)
        if secret is None or webhook is None:
            return None
        if table.path == webhook.path:
            hint = "an endpoint of its own has a path of its own"
            raise self._wrong(["endpoints", name, "path"], f"{table.path} is the path of [webhook]", hint)
        if secret.reveal() == webhook.secret.reveal():
            hint = "Stripe gives each endpoint a secret of its own"
            raise self._wrong(place, f"{table.secret_env} holds the secret of [webhook]", hint)
        return table.mean(Webhook, secret=secret, api_version=webhook.api_version)

    def _contract(self, entry: TargetEntry) -> Contract:
        record = entry.contract.rejection_record
        return entry.contract.mean(
            Contract,
            rejection_record=None if record is None else record.mean(RejectionRecord),
            keeps=tuple(one.mean(Kept) for one in entry.contract.keeps),
            severities=tuple(
                one.mean(SeverityChange, severity=Severity(one.severity)) for one in entry.contract.severities
            ),
            kept_rows=() if entry.retention is None else read_kept_rows(entry.retention),
            waivers=tuple(waiver.mean(Waiver, channel=Channel(waiver.channel)) for waiver in entry.waive),
            operations=entry.contract.operations.mean(OperationContract),
            access=entry.contract.access.mean(AccessContract),
            lockout=None if entry.contract.lockout is None else entry.contract.lockout.read(),
        )

    def _upstream_key(self, table: UpstreamTable) -> Secret | None:
        return self._secret(table.key_env, "key of Stripe's test mode", ["upstream", "key_env"])

    def _principal(self, name: str, table: PrincipalTable) -> Principal:
        secret = self._secret(table.credential_env, f"credential of {name}", ["principals", name, "credential_env"])
        assert secret is not None
        return principal(name, table, secret)

    def _refuse(self, place: Sequence[str | int], problem: str, hint: str) -> None:
        raise self._wrong(place, problem, hint)

    def _url(self, entry: TargetEntry) -> str:
        if entry.url is not None and entry.url_env is not None:
            raise self._wrong(["url_env"], "'url' and 'url_env' exclude each other", "remove one")
        if entry.url is not None:
            return self._require_safe(entry.url, "url")
        if entry.url_env is None:
            raise self._wrong(["url"], "'url' is missing", "or 'url_env', a variable that holds it")
        try:
            url = _base_url(self._variable(entry.url_env, "the target", ["url_env"]))
        except ValueError as error:
            raise self._wrong(["url_env"], f"{entry.url_env} is not right", str(error)) from None
        return self._require_safe(url, "url_env")

    def _require_safe(self, url: str, key: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise self._wrong([key], "plain HTTP carries the run's secrets in clear", "use https, or a loopback host")
        return url

    def _retention(self, entry: RetentionTable) -> RetentionSpec:
        writer = None
        if entry.writer_env is not None:
            url = self._variable(entry.writer_env, "the database", ["retention", "writer_env"])
            writer = self._spec("writer", "writer_env", url, ["retention"], _WRITABLE)
        return entry.mean(RetentionSpec, rows=read_kept_rows(entry), folder=str(self._path.parent), writer=writer)

    def _subject(self, entry: TargetEntry) -> Subject:
        made = entry.subject.make
        if made and made not in entry.operations:
            hint = nearest(made, entry.operations) if entry.operations else "the target file describes no operations"
            raise self._wrong(["subject", "make"], f"there is no operation {made!r}", hint)
        if entry.subject.find and "." not in entry.subject.find:
            hint = "a table and a column, such as users.stripe_customer_id"
            raise self._wrong(["subject", "find"], f"{entry.subject.find!r} is no column", hint)
        return entry.subject.read()

    def _process(self, entry: ProcessTable, host: str) -> ProcessSpec:
        if entry.start is not None and host not in LOOPBACK:
            hint = "take localhost or 127.0.0.1 in url"
            raise self._wrong(
                ["process", "start"], "an instance is started on this machine, where the url is not", hint
            )
        passed: dict[str, str] = {}
        for variable in entry.environment_env:
            if variable not in self._environment:
                problem = f"the environment variable {variable} is not set"
                raise self._wrong(["process", "environment_env"], problem, "the instance is to get it")
            passed[variable] = self._environment[variable]
        return entry.process(str(self._path.parent), passed)

    def _openapi(self, named: str) -> OpenApi:
        file = self._path.parent / named
        if file.is_file():
            try:
                return OpenApi(str(file), read_openapi(file.read_bytes(), str(file)))
            except OSError as error:
                raise self._wrong(["openapi"], f"{file} cannot be read", error.strerror or "") from None
        if not named.startswith("/") or not named.isascii() or any(c.isspace() for c in named):
            hint = "name a file, relative to the target file, or a path below the target such as /openapi.json"
            raise self._wrong(["openapi"], f"there is no file {file}", hint)
        return OpenApi(named)

    def _secret(self, variable: str | None, label: str, place: Sequence[str | int]) -> Secret | None:
        if variable is None:
            return None
        value = self._environment.get(variable, "")
        if not value.strip():
            self._require_name(variable, place)
            raise self._wrong(place, f"the environment variable {variable} is not set", f"it must hold the {label}")
        if value.startswith(LIVE_KEYS):
            raise self._wrong(place, f"{variable} holds a live Stripe key", "Payproof takes test keys only")
        if label.endswith("webhook secret") and (other := other_than_signing_secret(value.strip())):
            raise self._wrong(place, f"{variable} holds {other}", _ASKED_OF_IT)
        if place[-1] in {"api_key_env", "key_env"} and (other := other_than_api_key(value.strip())):
            raise self._wrong(place, f"{variable} holds {other}", f"it must hold the {label} (sk_test_...)")
        if not value.isascii() or value != value.strip():
            raise self._wrong(place, f"{variable} holds spaces at its ends or non-ASCII characters", "copy it again")
        if len(value) < _SHORTEST_SECRET:
            raise self._wrong(place, f"{variable} is too short for a secret", f"it must hold the {label}")
        return Secret(label, value)

    def _source(self, entry: _SourceTable, place: Sequence[str | int], known: Mapping[str, object]) -> SourceSpec:
        if entry.url is not None:
            spec = self._spec(entry.name, "url", entry.url, place, known)
        else:
            url = self._variable(entry.url_env or "", repr(entry.name), [*place, "url_env"])
            spec = self._spec(entry.name, "url_env", url, place, known)
        return entry.mean(SourceSpec, url=spec.url, password=spec.password)

    def _spec(
        self, name: str, key: str, url: str, place: Sequence[str | int], known: Mapping[str, object]
    ) -> SourceSpec:
        scheme, colon, rest = url.partition(":")
        scheme = scheme.partition("+")[0]  # SQLAlchemy names the driver there
        scheme = _DIALECTS.get(scheme, scheme)
        url = f"{scheme}{colon}{rest}"
        if not colon or scheme not in known:
            # What stands in a variable may be a secret, whatever it is.
            shown = f" {scheme!r}" if key == "url" else ""
            raise self._wrong([*place, key], f"unknown scheme{shown} in the URL of {name!r}", nearest(scheme, known))
        password: str | None = None
        if scheme == "sqlite":
            url = f"{scheme}:{self._sqlite_file(rest, name, [*place, key])}"
        elif scheme == "file":
            url = f"{scheme}:{self._path.parent / rest}"
        else:
            try:
                url, password = without_password(url)
            except ValueError as error:
                raise self._wrong([*place, key], f"the URL of {name!r} is not right", str(error)) from None
        if password is not None and key == "url":
            hint = "put the URL into a variable and name that with url_env"
            raise self._wrong([*place, key], f"the URL of {name!r} holds a password", hint)
        return SourceSpec(name, url, password=None if password is None else Secret(f"password of {name}", password))

    def _sqlite_file(self, rest: str, name: str, place: Sequence[str | int]) -> Path:
        """Return a database's file; with three slashes it may be a path of this folder, as SQLAlchemy has it."""
        if not rest.strip("/") or ":memory:" in rest or "mode=memory" in rest:
            hint = "give it a file (Django: DATABASES['default']['TEST'] = {'NAME': 'test.sqlite3'})"
            raise self._wrong(
                place, f"the database of {name!r} is in memory, where its own process alone sees it", hint
            )
        if rest.startswith("///") and not Path(rest).exists():
            rest = rest.removeprefix("///")
        return self._path.parent / rest

    def _variable(self, variable: str, of: str, place: Sequence[str | int]) -> str:
        value = self._environment.get(variable, "").strip()
        if not value:
            self._require_name(variable, place)
            problem = f"the environment variable {variable} is not set"
            raise self._wrong(place, problem, f"it must hold the URL of {of}")
        return value

    def _require_name(self, variable: str, place: Sequence[str | int]) -> None:
        """Refuse what is rather a value than the name of a variable, and show nothing of it."""
        if not _VARIABLE.fullmatch(variable) or _VALUE.match(variable):
            hint = "name the variable that holds the value, such as STRIPE_WEBHOOK_SECRET"
            raise self._wrong(place, f"{'.'.join(map(str, place))!r} is no name of a variable", hint)

    def _existing(self, file: str, place: Sequence[str | int]) -> str:
        path = self._path.parent / file
        if not path.is_file():
            raise self._wrong(place, f"there is no file {path}", "paths are relative to the target file")
        return str(path)

    def _wrong(self, place: Sequence[str | int], problem: str, hint: str) -> ConfigurationError:
        return ConfigurationError(problem, hint=hint, file=self._shown, line=self._locate(place))
