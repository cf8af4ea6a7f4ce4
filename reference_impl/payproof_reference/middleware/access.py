"""Authentication and permissions: whoever has not signed in gets nothing but a few public paths.

It is middleware that signs in, and a dependency that looks at permissions. FastAPI reads and parses the body before it
solves dependencies (`get_request_handler` in fastapi/routing.py), so a dependency alone would tell strangers whether
their JSON is JSON. And a route whose author forgets the dependency is still closed to strangers (PCI DSS 7.3.3).
"""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof_reference.middleware import paths
from payproof_reference.middleware.errors import build_problem
from payproof_reference.middleware.refusals import enter_refusal, origin_of, write_one_at_a_time
from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.services.identity import sign_in
from payproof_reference.services.identity.roles import Permission, Principal
from payproof_reference.services.identity.sign_in import SignInFailure

__all__ = ["Authentication", "Guard", "principal_of", "require_permission"]

log = structlog.get_logger()

# RFC 9110, 11.6.1. It says nothing of what was wrong: RFC 6750 would have `error="invalid_token"` here.
CHALLENGE = {"WWW-Authenticate": "Bearer"}
# For the OpenAPI document only; it reads the header and refuses nothing.
DOCUMENTED = HTTPBearer(auto_error=False, description="A token that the operator made with `create-credential`.")


class Authentication:
    """ASGI middleware that lets pass who has signed in; all others get one and the same 401, before the body is read.

    When the database refuses, nobody passes, and the answer is 503.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the principal in its state."""
        if scope["path"] not in paths.PUBLIC:
            request = Request(scope)
            request.state.principal = await authenticate(request)
            if request.state.principal is None:
                await build_problem(HTTPStatus.UNAUTHORIZED, headers=CHALLENGE)(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def authenticate(request: Request) -> Principal | None:
    """Sign in whoever sent a request, or count, record and log that it failed."""
    state, origin, now = request.app.state, origin_of(request), int(time.time())
    header = request.headers.getlist("authorization")
    judged = await run_in_threadpool(sign_in.sign_in, state.engine, state.settings.credential_key, header, origin, now)
    if isinstance(judged, SignInFailure):
        for record in await write_one_at_a_time(sign_in.enter_failure, state.engine, state.audit, judged, origin, now):
            log.warning(record.event, cause=record.reason, credential_id=record.object_id, origin=origin)
        return None
    return judged


def principal_of(request: Request) -> Principal | None:
    """Tell who signed in, or None on a public path."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal


@dataclass(frozen=True, slots=True)
class Guard:
    """A dependency that gives the principal of a request, if that one has the permission."""

    permission: Permission

    async def __call__(
        self, request: Request, _token: Annotated[HTTPAuthorizationCredentials | None, Depends(DOCUMENTED)]
    ) -> Principal:
        """Return the principal.

        Raises:
            HTTPException: 401 when nobody signed in, which happens to a guarded route on a public path; 403 when the
                role lacks the permission, which is recorded.
        """
        principal = principal_of(request)
        if principal is None:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, headers=CHALLENGE)
        if not principal.may(self.permission):
            origin = origin_of(request)
            await enter_refusal(request, build_refusal_record(principal, self.permission, origin))
            log.warning(
                Action.PERMISSION_REFUSED,
                permission=self.permission,
                credential_id=principal.credential_id,
                origin=origin,
            )
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return principal


def require_permission(permission: Permission) -> Guard:
    """Build the dependency of a route that needs a permission.

    As in `principal: Annotated[Principal, Depends(requires(Permission.READ_BILLING))]`. It comes first among a route's
    parameters, because FastAPI solves dependencies in order; all of them come before the body is validated.
    """
    return Guard(permission)


def build_refusal_record(principal: Principal, permission: Permission, origin: str) -> Record:
    """Build the audit record of a permission that is lacking."""
    return Record(
        event=Action.PERMISSION_REFUSED,
        actor=principal.actor,
        result=Result.REFUSED,
        origin=origin,
        reason=permission,
        tenant_id=principal.tenant_id,
    )
