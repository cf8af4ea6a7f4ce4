import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import httpx
import pytest
import trustme
from fastapi import FastAPI, Request
from sqlalchemy import Engine, text

from payproof_reference.app import create_app
from payproof_reference.database.engine import open_database
from payproof_reference.middleware import access
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.identity.roles import Principal, Role
from payproof_reference.settings import Settings
from tests.reference_impl import databases
from tests.reference_impl.databases import Addresses, Database
from tests.reference_impl.deliveries import new_api_key, new_key, new_secret, signed
from tests.reference_impl.shop import Shop
from tests.reference_impl.stripe_twin import InMemoryStripe

PRICES = {"price_1": 1000, "price_2": 2500}


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """One event loop for all requests of the run, as in a server: what requests share is only safe within one."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


@dataclass(frozen=True)
class Client:
    """Speaks to the application in this process; what it raises becomes the answer, as under a server."""

    settings: Settings
    engine: Engine
    stripe: InMemoryStripe
    principal: Principal | None = None

    def as_principal(self, tenant_id: str = "ten_first", role: Role = Role.OWNER) -> "Client":
        """The same client, signed in with a credential of a tenant."""
        return replace(self, principal=Principal(f"crd_{tenant_id}", tenant_id, role))

    @cached_property
    def app(self) -> FastAPI:
        made = create_app(self.settings, self.engine, self.stripe)
        if self.principal is not None:
            made.state.signed_in = self.principal
        return made

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://billing.test") as client:
                return await client.request(method, path, **options)

        return asyncio.run_coroutine_threadsafe(once(), event_loop()).result()

    def deliver(self, body: bytes, headers: object = None) -> httpx.Response:
        secret = self.settings.stripe_webhook_secret.get_secret_value()
        chosen = signed(body, secret) if headers is None else headers
        return self.request("POST", "/webhooks/stripe", content=body, headers=chosen)

    def rows(self, table: str, columns: str = "*") -> list[tuple[object, ...]]:
        with self.engine.connect().execution_options(read_only=True) as connection:
            return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))]


@pytest.fixture(autouse=True)
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that are signed in pass; how one signs in has its own tests."""
    right = access.authenticate

    async def authenticate(request: Request) -> Principal | None:
        return getattr(request.app.state, "signed_in", None) or await right(request)

    monkeypatch.setattr(access, "authenticate", authenticate)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Each kind of database; what asks for it, or for an engine, runs on both."""
    with databases.postgresql() if request.param == "postgresql" else sqlite_in(tmp_path_factory) as kind:
        yield kind


def sqlite_in(factory: pytest.TempPathFactory) -> AbstractContextManager[Database]:
    """Make SQLite databases in a folder of this run."""
    return databases.sqlite(factory.mktemp("sqlite"))


@pytest.fixture
def addresses(database: Database) -> Iterator[Addresses]:
    """A migrated database of the test's own."""
    made = database.fresh()
    yield made
    database.drop(made)


@pytest.fixture
def audit(settings: Settings) -> AuditLog:
    """The audit log under the key of the settings."""
    return AuditLog(settings.audit_key)


@pytest.fixture
def engine(addresses: Addresses, audit: AuditLog) -> Iterator[Engine]:
    """The database as the service sees it once it has started."""
    opened = open_database(addresses.service)
    with opened.begin() as connection:
        audit.begin(connection)
    yield opened
    opened.dispose()


@pytest.fixture
def owner(addresses: Addresses) -> Iterator[Engine]:
    """The same database, as the owner of the tables sees it."""
    opened = open_database(addresses.owner)
    yield opened
    opened.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with secrets of their own."""
    return Settings(
        database_url=f"sqlite:///{tmp_path}/billing.db",
        audit_key=new_key(),
        credential_key=new_key(),
        stripe_webhook_secret=new_secret(),
        stripe_api_key=new_api_key(),
        plans={price: {"amount": amount, "currency": "usd"} for price, amount in PRICES.items()},
        return_url="https://shop.test/billing",
        tls_certificate=tmp_path / "certificate.pem",
        tls_private_key=tmp_path / "key.pem",
    )


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, settings: Settings, database: Database) -> Iterator[Addresses]:
    """The environment of an operator, before the first migration."""
    made = database.fresh(migrated=False)
    monkeypatch.setenv("BILLING_DATABASE_URL", made.service)
    monkeypatch.setenv("BILLING_MIGRATION_DATABASE_URL", made.owner)
    monkeypatch.setenv("BILLING_AUDIT_KEY", settings.audit_key.get_secret_value())
    monkeypatch.setenv("BILLING_CREDENTIAL_KEY", settings.credential_key.get_secret_value())
    yield made
    database.drop(made)


@pytest.fixture
def stripe() -> InMemoryStripe:
    """Stripe in memory."""
    return InMemoryStripe(PRICES)


@pytest.fixture
def client(settings: Settings, engine: Engine, stripe: InMemoryStripe) -> Client:
    """A client of the application in this process."""
    return Client(settings, engine, stripe)


@pytest.fixture
def shop(client: Client, audit: AuditLog) -> Shop:
    """A tenant's own system, signed in as its owner."""
    return Shop(client.as_principal(), client.engine, audit, client.stripe, client.settings)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority of this run."""
    return trustme.CA()
