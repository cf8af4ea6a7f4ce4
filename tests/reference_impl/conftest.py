import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from sqlalchemy import Engine

from reference_impl.app import create_app
from reference_impl.database.engine import open_database
from reference_impl.settings import Settings
from tests.reference_impl.deliveries import new_secret, signed


@dataclass(frozen=True)
class Client:
    """Speaks to the application in this process; what it raises becomes the answer, as under a server."""

    settings: Settings
    engine: Engine

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.settings, self.engine), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://billing.test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(once())

    def deliver(self, body: bytes, headers: object = None) -> httpx.Response:
        secret = self.settings.stripe_webhook_secret.get_secret_value()
        chosen = signed(body, secret) if headers is None else headers
        return self.request("POST", "/webhooks/stripe", content=body, headers=chosen)

    def rows(self, table: str, columns: str = "*") -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.engine.url.database)
        try:
            return connection.execute(f"SELECT {columns} FROM {table}").fetchall()
        finally:
            connection.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database in a file of its own."""
    opened = open_database(f"sqlite:///{tmp_path}/billing.db")
    yield opened
    opened.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a secret of their own."""
    return Settings(
        database_url=f"sqlite:///{tmp_path}/billing.db",
        stripe_webhook_secret=new_secret(),
        tls_certificate=tmp_path / "certificate.pem",
        tls_private_key=tmp_path / "key.pem",
    )


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Client:
    """A client of the application in this process."""
    return Client(settings, engine)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority of this run."""
    return trustme.CA()
