"""Starts the reference billing service as a process of its own, over HTTPS, and describes it as any other target."""

import json
import os
import secrets
import shutil
import string
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from payproof.adapters.outage_process import DATABASE, OWNER, ROLE, ROLE_FAULTS, SERVER, SERVER_FAULTS
from payproof.adapters.outages import outage_command
from payproof.adapters.postgresql import SERVER_VARIABLE, postgresql
from payproof.adapters.reference_access import ACCESS, PROMISED, REFUSED, describe_principals, roles
from payproof.adapters.reference_entitlements import describe_entitlements
from payproof.adapters.reference_rows import AHEAD, KEPT_ROWS
from payproof.adapters.scratch import scratch_folder
from payproof.domain.address import without_password
from payproof.domain.control import ControlEvents
from payproof.domain.operation import Operation, OperationContract, Price, Principal, UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.target import (
    Budget,
    Contract,
    Environment,
    Kept,
    OpenApi,
    ProcessSpec,
    RejectionRecord,
    RetentionSpec,
    SourceSpec,
    StoreFault,
    StoreOutage,
    Target,
    Webhook,
)
from payproof.errors import ConfigurationError, TargetStartError
from payproof.extras import install, lacking

__all__ = [
    "REFERENCE_COMMAND",
    "REFERENCE_UPSTREAM",
    "SMALL_DISK_VARIABLE",
    "EmbeddedStore",
    "Reference",
    "StripeAt",
    "reference_name",
    "require_reference",
]

#: What starts the service; the tests start variations of it that carry a planted defect.
REFERENCE_COMMAND = (sys.executable, "-m", "payproof_reference")
#: Names a folder on a disk so small that it may be filled, such as a tmpfs: there the service then keeps its database.
SMALL_DISK_VARIABLE = "PAYPROOF_SMALL_DISK"
_LARGEST_DISK = 1 << 30
#: The databases that the service can be run on.
EmbeddedStore = Literal["sqlite", "postgresql"]

_KEEPS: tuple[Kept, ...] = (Kept("operations", "request_digest", "keyed digest of what was asked, not the request"),)
_MIRRORS = {
    "checkout_sessions.payment_status": "checkout.session/payment_status",
    "checkout_sessions.status": "checkout.session/status",
    "disputes.status": "dispute/status",
    "invoices.status": "invoice/status",
    "payments.amount_refunded": "charge/amount_refunded",
    "payments.status": "charge/status",
    "subscriptions.cancel_at_period_end": "subscription/cancel_at_period_end",
    "subscriptions.current_period_end": "subscription/current_period_end",
    "subscriptions.status": "subscription/status",
    "subscriptions.stripe_price_id": "subscription/price",
}
_PLAN = "price_payproof_team"
_PRICE = Price(amount=1000, currency="usd")
_PRICES = {_PLAN: _PRICE, "price_payproof_business": Price(amount=3000, currency="usd")}
#: What stands in for Stripe while the service runs.
REFERENCE_UPSTREAM = UpstreamSpec(url="https://127.0.0.1:0", prices=_PRICES)

_ROUTES = (
    "GET /health",
    "GET /v1/customers/{customer_id}",
    "GET /v1/audit-records",
    "GET /v1/subscriptions/{subscription_id}",
    "GET /v1/subscriptions?customer_id={customer_id}",
    "POST /v1/customers",
    "POST /v1/subscriptions",
    "POST /v1/subscriptions/{subscription_id}/cancel",
    "POST /v1/refunds",
)

_BREAKER_SECONDS = 2.0
#: Its waits, shortened by its own settings: Stripe's double is on this machine, and nobody waits longer than needed.
_QUICK = {
    "BILLING_STRIPE_ANSWER_SECONDS": "2",
    "BILLING_STRIPE_BACKOFF_SECONDS": "0.1",
    "BILLING_BREAKER_SECONDS": str(_BREAKER_SECONDS),
    "BILLING_PAUSE_SECONDS": "1",
    "BILLING_WORKER_SECONDS": "0.25",
}

_START_SECONDS = 60.0
# It is on this machine, beside whatever else that has to do: a case that takes long says nothing about the service.
_PATIENCE = 5.0
_STOP_SECONDS = 5.0
_ALPHABET = string.ascii_letters + string.digits


def require_reference() -> None:
    """Refuse to run the service where a package of it is missing, before anything of it is begun.

    Raises:
        ConfigurationError: a package is not installed.
    """
    if missing := lacking("reference"):
        raise ConfigurationError(
            f"the reference service is not installed: {', '.join(missing)} missing",
            hint=f"{install('reference')}, or name a target of your own",
        )


def reference_name(store: EmbeddedStore) -> str:
    """Return what the service on a database is called in reports."""
    return "reference billing service" + ("" if store == "sqlite" else " on PostgreSQL")


def _made_up(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True, slots=True)
class StripeAt:
    """Where Stripe is for the service, and the file of the authority that it is to trust there."""

    url: str
    ca_file: str | None


@dataclass(frozen=True, slots=True)
class _Secrets:
    current: Secret = field(default_factory=lambda: Secret("webhook secret", _made_up("whsec_", 32)))
    previous: Secret = field(default_factory=lambda: Secret("previous webhook secret", _made_up("whsec_", 32)))
    connect: Secret = field(default_factory=lambda: Secret("connect webhook secret", _made_up("whsec_", 32)))
    retired: Secret = field(default_factory=lambda: Secret("retired webhook secret", _made_up("whsec_", 32)))
    api_key: Secret = field(default_factory=lambda: Secret("Stripe API key", _made_up("sk_" + "test_", 24)))
    publishable_key: str = field(default_factory=lambda: _made_up("pk_" + "test_", 24), repr=False)


class Reference:
    """The running service; a context manager that leaves neither process nor file behind."""

    def __init__(
        self,
        api_version: str,
        stripe: StripeAt,
        command: Sequence[str] = REFERENCE_COMMAND,
        store: EmbeddedStore = "sqlite",
        *,
        operations: bool = True,
        owner: bool = True,
    ) -> None:
        self._api_version, self._stripe, self._command, self._store = api_version, stripe, command, store
        self._roles = roles(operations=operations, owner=owner)
        self._secrets, self._tenants = _Secrets(), dict[str, str]()
        self._resources = ExitStack()
        self._scratch = self._resources.enter_context(scratch_folder("service"))
        self._folder = self._scratch.path

    def __enter__(self) -> Self:
        """Make the certificates and the database, start the process and wait until it listens.

        Raises:
            ConfigurationError: the PostgreSQL server that the environment names cannot be used.
            TargetStartError: it ended or did not listen in time; the message quotes what it said last.
        """
        try:
            process, database, settings = self._start()
            port = self._listening_port(process)
            self.target = self._describe_target(port, database, self._principals(settings))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the process and remove its files."""
        self.close()

    def close(self) -> None:
        """Stop the process and remove its files."""
        self._resources.close()

    def _start(self) -> tuple[subprocess.Popen[bytes], SourceSpec, Mapping[str, str]]:
        import trustme  # noqa: PLC0415 (of the extra `reference`, which only this run needs)

        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(self._folder / "ca.pem")
        issued.private_key_pem.write_to_path(self._folder / "key.pem")
        (self._folder / "key.pem").chmod(0o600)
        for pem in issued.cert_chain_pems:
            pem.write_to_path(self._folder / "certificate.pem", append=True)
        now = datetime.now(UTC)
        previous = [
            {"secret": self._secrets.previous.reveal(), "valid_until": (now + timedelta(hours=24)).isoformat()},
            {"secret": self._secrets.retired.reveal(), "valid_until": (now - timedelta(hours=1)).isoformat()},
        ]
        (self._folder / "tmp").mkdir()
        database, owner, source, self._writer = self._database()
        settings = {
            **database,
            "BILLING_AUDIT_KEY": _made_up("", 43),
            "BILLING_CREDENTIAL_KEY": _made_up("", 43),
            "BILLING_STRIPE_WEBHOOK_SECRET": self._secrets.current.reveal(),
            "BILLING_STRIPE_CONNECT_WEBHOOK_SECRET": self._secrets.connect.reveal(),
            "BILLING_STRIPE_PREVIOUS_WEBHOOK_SECRETS": json.dumps(previous),
            "BILLING_STRIPE_API_KEY": self._secrets.api_key.reveal(),
            "BILLING_STRIPE_API_BASE": self._stripe.url,
            "BILLING_STRIPE_TELEMETRY": "true",  # as the SDK does where nobody has thought of it
            **({} if self._stripe.ca_file is None else {"BILLING_STRIPE_CA_FILE": self._stripe.ca_file}),
            "BILLING_PLANS": json.dumps(
                {name: {"amount": price.amount, "currency": price.currency} for name, price in _PRICES.items()}
            ),
            **_QUICK,
            "BILLING_RETURN_URL": "https://127.0.0.1/",
            "BILLING_STRIPE_PUBLISHABLE_KEY": self._secrets.publishable_key,
            "BILLING_TLS_CERTIFICATE": str(self._folder / "certificate.pem"),
            "BILLING_TLS_PRIVATE_KEY": str(self._folder / "key.pem"),
            "BILLING_OPENAPI": "1",
            "BILLING_STOP_WITH_PARENT": "1",
            "TMPDIR": str(self._folder / "tmp"),
        }
        # Standard error too is a place where payloads end up.
        with (self._folder / "service.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                self._command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(settings),
                pass_fds=(self._scratch.lock,),
            )
        self._resources.callback(_stop, process)
        self._settings = _environment(settings)
        self._maintenance = {name: settings[name] for name in (*database, "BILLING_AUDIT_KEY")} | dict(owner)
        return process, source, {**settings, **owner}

    def _database(self) -> tuple[Mapping[str, str], Mapping[str, str], SourceSpec, SourceSpec]:
        """Make the database.

        Returns the settings that name it, its owner's settings, the source that watches it, and it by its owner.
        """
        rejection_log = ("audit_log", "audit_anchors", "sign_in_failures")
        disk = _small_disk()
        full: Mapping[StoreFault, StoreOutage] = {}
        if disk is not None:
            full = {"disk_full": StoreOutage(hold=outage_command("disk", disk))}
        if self._store == "sqlite":
            own = self._scratch if disk is None else self._resources.enter_context(scratch_folder("disk", disk))
            path = own.path / "billing.db"
            settings = {"BILLING_DATABASE_URL": f"sqlite:///{path}", "BILLING_MIGRATE": "1"}
            self._outage = StoreOutage(hold=outage_command("sqlite"), environment={DATABASE: str(path)})
            self._faults: dict[StoreFault, StoreOutage] = {"locked": self._outage, **full}
            watched = SourceSpec("database", f"sqlite:{path}", rejection_log=rejection_log)
            return settings, {}, watched, SourceSpec("writer", watched.url)
        made = self._resources.enter_context(postgresql(disk))
        settings = {"BILLING_DATABASE_URL": made.service}
        # Of the service alone: the harness can look into the database all the while.
        refused = {DATABASE: made.administrator, ROLE: urlsplit(made.service).username or ""}
        self._outage = StoreOutage(hold=outage_command("postgresql"), environment=refused)
        self._faults = {
            name: StoreOutage(hold=outage_command("postgresql", name), environment=refused | {OWNER: made.owner})
            for name in (*ROLE_FAULTS, *(SERVER_FAULTS if made.folder else ()))
        }
        if made.folder:  # else others may use the server too
            stopped = StoreOutage(hold=outage_command("server"), environment={SERVER: made.folder})
            self._faults |= {"stopped": stopped, **full}
        owner = {"BILLING_MIGRATION_DATABASE_URL": made.owner}
        _run_command({**settings, **owner}, "the migration", [self._command[0], *REFERENCE_COMMAND[1:], "migrate"])
        url, password = without_password(made.watcher)
        secret = Secret("password of the database", password or "")
        source = SourceSpec("database", url, rejection_log=rejection_log, password=secret)
        url, password = without_password(made.owner)
        writer = SourceSpec("writer", url, password=Secret("password of the database's owner", password or ""))
        return settings, owner, source, writer

    def _principals(self, settings: Mapping[str, str]) -> Mapping[str, Principal]:
        """Give the harness access as an operator would: tenants, and credentials of the roles that are wanted."""
        if not self._roles:
            return {}
        wanted = [
            f"{role} {tenant}{' revoked' if expired else ''}" for role, tenant, _, expired in self._roles.values()
        ]
        told = _run_command(settings, "the giving of access", [self._command[0], "-c", ACCESS, *wanted])
        given = [line.split() for line in told.splitlines()]
        self._tenants = {name: tenant for name, (_, tenant) in zip(self._roles, given, strict=True)}
        return describe_principals([*self._roles], [token for token, _ in given])

    def _listening_port(self, process: subprocess.Popen[bytes]) -> int:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            for line in (self._folder / "service.log").read_bytes().splitlines():
                if b'"service_started"' in line:
                    return int(json.loads(line)["port"])
            if process.poll() is not None:
                said = _last_line((self._folder / "service.log").read_bytes())
                raise TargetStartError(f"the reference service ended with status {process.returncode}: {said}")
            time.sleep(0.01)
        raise TargetStartError(f"the reference service did not listen within {_START_SECONDS:g} s")

    def _describe_target(self, port: int, database: SourceSpec, principals: Mapping[str, Principal]) -> Target:
        return Target(
            name=reference_name(self._store),
            url=f"https://127.0.0.1:{port}",
            environment=Environment.LOCAL,
            webhook=Webhook(
                path="/webhooks/stripe",
                secret=self._secrets.current,
                api_version=self._api_version,
                previous_secret=self._secrets.previous,
                retired_secret=self._secrets.retired,
                connect=True,
            ),
            endpoints={
                "connect": Webhook("/webhooks/stripe/connect", self._secrets.connect, self._api_version, connect=True)
            },
            ca_file=str(self._folder / "ca.pem"),
            api_key=self._secrets.api_key,
            publishable_key=self._secrets.publishable_key,
            stores=(database,),
            logs=(SourceSpec("service log", f"file:{self._folder / 'service.log'}"),),
            files=self._files(database),
            retention=RetentionSpec(
                (*self._command, "purge"),
                KEPT_ROWS,
                str(Path.cwd()),
                environment=self._maintenance,
                purge_at=(self._command[0], "-c", AHEAD, "{seconds}", *self._command[1:], "purge"),
                writer=self._writer,
            ),
            store_outage=self._outage,
            store_faults=self._faults,
            process=ProcessSpec(
                tuple(self._command),
                folder=str(Path.cwd()),
                environment=self._settings,
                seconds=_START_SECONDS,
                port_variable="BILLING_PORT",
                secret_variable="BILLING_STRIPE_WEBHOOK_SECRET",  # noqa: S106 (a name)
                api_key_variable="BILLING_STRIPE_API_KEY",
                refuses_live_keys=True,
            ),
            contract=Contract(
                rejected=frozenset({401}),
                handles=("*",),
                # It answers once all is done; what it does later has a time of its own.
                effect_within=5.0,
                keeps=_KEEPS,
                mirrors=_MIRRORS,
                kept_rows=KEPT_ROWS,
                rejection_record=RejectionRecord(
                    match={"event": "webhook_rejected"},
                    cause="cause",
                    time="timestamp",
                    origin="origin",
                    result="result",
                ),
                operations=OperationContract(
                    declined=frozenset({402}),
                    refused=frozenset({422}),
                    misconfigured=frozenset({503}),
                    unavailable=frozenset({503}),
                    reference="error.reference",
                    answer_within=15.0,
                    completed_within=10.0,
                    breaker_after=5,
                    breaker_rest=_BREAKER_SECONDS,
                ),
                access=REFUSED,
                lockout=PROMISED if "forgetful" in principals else None,
            ),
            upstream=REFERENCE_UPSTREAM,
            operations=_operations(principals["manager"]) if "manager" in principals else {},
            principals=principals,
            entitlements=describe_entitlements(principals, self._tenants, _PLAN, _PRICE)
            if "manager" in principals
            else {},
            routes=_ROUTES,
            budget=Budget(patience=_PATIENCE),
            openapi=OpenApi("/openapi.json"),
            control=ControlEvents(),
        )

    def _files(self, database: SourceSpec) -> tuple[SourceSpec, ...]:
        temporary = SourceSpec("temporary files", f"file:{self._folder / 'tmp'}")
        if self._store != "sqlite":
            return (temporary,)
        # The database as bytes: what was deleted may still be in it, and what was written may still be in its log.
        return (temporary, SourceSpec("files of the database", f"file:{database.url.removeprefix('sqlite:')}*"))


def _operations(manager: Principal) -> Mapping[str, Operation]:
    made = (
        Operation(
            "create_customer", "POST", "/v1/customers", "POST /v1/customers", manager, {}, keep={"customer": "id"}
        ),
        Operation(
            "subscribe",
            "POST",
            "/v1/subscriptions",
            "POST /v1/subscriptions",
            manager,
            {"customer_id": "{customer}", "price_id": _PLAN},
            after=("create_customer",),
            keep={"subscription": "id"},
        ),
        Operation(
            "cancel",
            "POST",
            "/v1/subscriptions/{subscription}/cancel",
            "POST /v1/subscriptions/*",
            manager,
            {"at": "period_end"},
            after=("subscribe",),
        ),
        Operation(
            "checkout",
            "POST",
            "/v1/checkout-sessions",
            "POST /v1/checkout/sessions",
            manager,
            {"customer_id": "{customer}", "price_id": _PLAN},
            after=("create_customer",),
        ),
        Operation(
            "portal",
            "POST",
            "/v1/portal-sessions",
            "POST /v1/billing_portal/sessions",
            manager,
            {"customer_id": "{customer}"},
            after=("create_customer",),
        ),
    )
    return {operation.name: operation for operation in made}


def _small_disk() -> str | None:
    """Return the folder on a small disk that the environment names, if it names one.

    Raises:
        ConfigurationError: there is no such folder, or its disk is no small one.
    """
    folder = os.environ.get(SMALL_DISK_VARIABLE)
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise ConfigurationError(f"{SMALL_DISK_VARIABLE}: {folder} is no folder")
    if shutil.disk_usage(folder).total > _LARGEST_DISK:
        raise ConfigurationError(
            f"{SMALL_DISK_VARIABLE}: the disk of {folder} is larger than 1 GiB, and is not to be filled",
            hint="make one: mount -t tmpfs -o size=256m tmpfs FOLDER",
        )
    return str(Path(folder).resolve())


def _run_command(settings: Mapping[str, str], what: str, command: Sequence[str]) -> str:
    """Run a command of the service's operator, and return what it printed.

    Raises:
        TargetStartError: it failed; the message quotes what it said last.
    """
    done = subprocess.run(  # noqa: S603 (our own interpreter and module)
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=_environment(settings),
    )
    if done.returncode:
        raise TargetStartError(f"{what} failed: {_last_line(done.stderr)}")
    return done.stdout.decode().strip()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this environment with settings, and without the administrator's password."""
    return {name: value for name, value in os.environ.items() if name != SERVER_VARIABLE} | dict(settings)


def _last_line(said: bytes) -> str:
    return (said.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The end of its standard input stops the service too, should this process be killed instead.
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
