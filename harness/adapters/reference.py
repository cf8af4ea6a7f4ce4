"""Starts the reference billing service as a process of its own, over HTTPS, and describes it as any other target."""

import json
import os
import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from harness.adapters.postgresql import SERVER_VARIABLE, postgresql
from harness.adapters.reference_rows import AHEAD, KEPT_ROWS
from harness.domain.address import without_password
from harness.domain.sensitive import Secret
from harness.domain.target import (
    Contract,
    Environment,
    Kept,
    RejectionRecord,
    RetentionSpec,
    SourceSpec,
    Target,
    Webhook,
)
from harness.errors import TargetStartError

__all__ = ["REFERENCE_COMMAND", "EmbeddedStore", "Reference"]

#: What starts the service; the tests start variations of it that carry a planted defect.
REFERENCE_COMMAND = (sys.executable, "-m", "reference_impl")
#: The databases that the service can be run on.
EmbeddedStore = Literal["sqlite", "postgresql"]

_KEEPS: tuple[Kept, ...] = (Kept("operations", "request_digest", "keyed digest of what was asked, not the request"),)

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_ALPHABET = string.ascii_letters + string.digits


def _made_up(prefix: str, length: int) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass(frozen=True, slots=True)
class _Secrets:
    current: Secret = field(default_factory=lambda: Secret("webhook secret", _made_up("whsec_", 32)))
    previous: Secret = field(default_factory=lambda: Secret("previous webhook secret", _made_up("whsec_", 32)))
    retired: Secret = field(default_factory=lambda: Secret("retired webhook secret", _made_up("whsec_", 32)))
    api_key: Secret = field(default_factory=lambda: Secret("Stripe API key", _made_up("sk_" + "test_", 24)))
    publishable_key: str = field(default_factory=lambda: _made_up("pk_" + "test_", 24), repr=False)


class Reference:
    """The running service; a context manager that leaves neither process nor file behind."""

    def __init__(
        self, api_version: str, command: Sequence[str] = REFERENCE_COMMAND, store: EmbeddedStore = "sqlite"
    ) -> None:
        self._api_version, self._command, self._store = api_version, command, store
        self._secrets = _Secrets()
        self._folder = Path(tempfile.mkdtemp(prefix="payproof-"))
        self._resources = ExitStack()
        self._resources.callback(shutil.rmtree, self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Make the certificates and the database, start the process and wait until it listens.

        Raises:
            ConfigurationError: the PostgreSQL server that the environment names cannot be used.
            TargetStartError: it ended or did not listen in time; the message quotes what it said last.
        """
        try:
            process, database = self._start()
            self.target = self._described(self._listening_port(process), database)
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

    def _start(self) -> tuple[subprocess.Popen[bytes], SourceSpec]:
        try:
            import trustme  # noqa: PLC0415 (of the extra `reference`, which only this run needs)
        except ImportError:
            raise TargetStartError(
                "the reference service is not installed: pip install 'payproof[reference]', or give --target FILE"
            ) from None
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
        database, source, owner, self._writer = self._database()
        settings = {
            **database,
            "BILLING_AUDIT_KEY": _made_up("", 43),
            "BILLING_CREDENTIAL_KEY": _made_up("", 43),
            "BILLING_STRIPE_WEBHOOK_SECRET": self._secrets.current.reveal(),
            "BILLING_STRIPE_PREVIOUS_WEBHOOK_SECRETS": json.dumps(previous),
            # That the API keys verify no webhook is to be shown. Nothing listens at the address: this run is not to
            # reach Stripe.
            "BILLING_STRIPE_API_KEY": self._secrets.api_key.reveal(),
            "BILLING_STRIPE_API_BASE": "http://127.0.0.1:9",
            "BILLING_RETURN_URL": "https://127.0.0.1/",
            "BILLING_STRIPE_PUBLISHABLE_KEY": self._secrets.publishable_key,
            "BILLING_TLS_CERTIFICATE": str(self._folder / "certificate.pem"),
            "BILLING_TLS_PRIVATE_KEY": str(self._folder / "key.pem"),
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
            )
        self._resources.callback(_stop, process)
        self._maintenance = {name: settings[name] for name in (*database, "BILLING_AUDIT_KEY")} | owner
        return process, source

    def _database(self) -> tuple[Mapping[str, str], SourceSpec, dict[str, str], SourceSpec]:
        """Make the database.

        Returns the settings that name it, the source that watches it, its owner's settings, and it by its owner.
        """
        rejection_log = ("audit_log", "audit_anchors", "sign_in_failures")
        if self._store == "sqlite":
            path = self._folder / "billing.db"
            settings = {"BILLING_DATABASE_URL": f"sqlite:///{path}", "BILLING_MIGRATE": "1"}
            watched = SourceSpec("database", f"sqlite:{path}", rejection_log=rejection_log)
            return settings, watched, {}, SourceSpec("writer", watched.url)
        made = self._resources.enter_context(postgresql())
        settings = {"BILLING_DATABASE_URL": made.service}
        migrated = subprocess.run(  # noqa: S603 (our own interpreter and module)
            [*REFERENCE_COMMAND, "migrate"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=_environment({**settings, "BILLING_MIGRATION_DATABASE_URL": made.owner}),
        )
        if migrated.returncode:
            raise TargetStartError(f"the schema could not be made: {_last_line(migrated.stderr)}")
        url, password = without_password(made.watcher)
        secret = Secret("password of the database", password or "")
        source = SourceSpec("database", url, rejection_log=rejection_log, password=secret)
        url, password = without_password(made.owner)
        writer = SourceSpec("writer", url, password=Secret("password of the database's owner", password or ""))
        return settings, source, {"BILLING_MIGRATION_DATABASE_URL": made.owner}, writer

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

    def _described(self, port: int, database: SourceSpec) -> Target:
        return Target(
            name="reference billing service" + ("" if self._store == "sqlite" else " on PostgreSQL"),
            url=f"https://127.0.0.1:{port}",
            environment=Environment.LOCAL,
            webhook=Webhook(
                path="/webhooks/stripe",
                secret=self._secrets.current,
                api_version=self._api_version,
                previous_secret=self._secrets.previous,
                retired_secret=self._secrets.retired,
            ),
            ca_file=str(self._folder / "ca.pem"),
            api_key=self._secrets.api_key,
            publishable_key=self._secrets.publishable_key,
            stores=(database,),
            logs=(SourceSpec("service log", f"file:{self._folder / 'service.log'}"),),
            files=self._files(),
            retention=RetentionSpec(
                (*self._command, "purge"),
                KEPT_ROWS,
                str(Path.cwd()),
                environment=self._maintenance,
                purge_at=(self._command[0], "-c", AHEAD, "{seconds}", *self._command[1:], "purge"),
                writer=self._writer,
            ),
            contract=Contract(
                rejected=frozenset({401}),
                keeps=_KEEPS,
                kept_rows=KEPT_ROWS,
                rejection_record=RejectionRecord(
                    match={"event": "webhook_rejected"},
                    cause="cause",
                    time="timestamp",
                    origin="origin",
                    result="result",
                ),
            ),
        )

    def _files(self) -> tuple[SourceSpec, ...]:
        temporary = SourceSpec("temporary files", f"file:{self._folder / 'tmp'}")
        if self._store != "sqlite":
            return (temporary,)
        # The database as bytes: what was deleted may still be in it, and what was written may still be in its log.
        return (temporary, SourceSpec("files of the database", f"file:{self._folder / 'billing.db*'}"))


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
