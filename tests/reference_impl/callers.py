"""Callers of the service: their tokens, and an application with a few routes of the tests' own to call."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import Engine

from payproof_reference.app import create_app
from payproof_reference.database.tables import tenants
from payproof_reference.middleware.access import require_permission
from payproof_reference.routes.models import Amount, CustomerId, StrictModel
from payproof_reference.services.identity import credentials
from payproof_reference.services.identity.roles import Permission, Principal, Role
from payproof_reference.settings import Settings
from payproof_reference.text.references import new_reference

__all__ = ["ROUTES", "Application", "Change", "bearer", "new_tenant", "new_token"]

router = APIRouter()
# What each permission is asked for by.
ROUTES = {
    Permission.READ_BILLING: ("GET", "/small/billing"),
    Permission.MANAGE_BILLING: ("POST", "/small/changes"),
    Permission.REFUND: ("GET", "/small/refund"),
    Permission.READ_AUDIT: ("GET", "/small/audit"),
}


class Change(StrictModel):
    """A body."""

    customer: CustomerId
    amount: Amount | None = None
    note: str | None = None


@router.get("/small/billing")
@router.get("/small/billing/{name}")
def billing(
    principal: Annotated[Principal, Depends(require_permission(Permission.READ_BILLING))], name: str = ""
) -> list[str]:
    return [principal.actor, principal.tenant_id, name]


@router.post("/small/changes")
def change(
    principal: Annotated[Principal, Depends(require_permission(Permission.MANAGE_BILLING))], wanted: Change
) -> Change:
    return wanted


@router.get("/small/refund")
def refund(principal: Annotated[Principal, Depends(require_permission(Permission.REFUND))], number: int = 0) -> int:
    return number


@router.get("/small/audit")
def audit(principal: Annotated[Principal, Depends(require_permission(Permission.READ_AUDIT))]) -> str:
    return principal.role


@router.get("/small/forgotten")
def forgotten() -> str:
    return "its author forgot who may ask"


@dataclass(frozen=True)
class Application:
    """The application in this process with the small routes; what it raises becomes the answer."""

    app: FastAPI

    @classmethod
    def build(cls, settings: Settings, engine: Engine) -> "Application":
        app = create_app(settings, engine, None)
        app.include_router(router)
        return cls(app)

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        return self.request_all([(method, path, options)])[0]

    def request_all(self, requests: Iterable[tuple[str, str, dict[str, object]]]) -> list[httpx.Response]:
        """Send requests at once."""

        async def gather() -> list[httpx.Response]:
            async with self.opened() as client:
                return await asyncio.gather(*(client.request(method, path, **how) for method, path, how in requests))

        return asyncio.run(gather())

    def opened(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="https://billing.test", timeout=60)


def new_tenant(owner: Engine) -> str:
    """Create a tenant, as the operator does."""
    tenant_id = f"tenant_{new_reference()}"
    with owner.begin() as connection:
        connection.execute(tenants.insert().values(tenant_id=tenant_id, created_at=1))
    return tenant_id


def new_token(
    owner: Engine, settings: Settings, role: Role = Role.OWNER, tenant_id: str | None = None, now: int | None = None
) -> credentials.Token:
    """Create a credential for a day, as the operator does."""
    begins = int(time.time()) if now is None else now
    with owner.begin() as connection:
        return credentials.issue_token(
            connection, settings.credential_key, tenant_id or "tenant_" + "a" * 20, role, begins, days=1
        )


def bearer(token: credentials.Token | str) -> dict[str, str]:
    """Build the header that a caller signs in with."""
    return {"Authorization": f"Bearer {token if isinstance(token, str) else token.reveal()}"}
