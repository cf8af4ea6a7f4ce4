"""What several defects of access and input replace in the same way."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from sqlalchemy import Column, Integer, String, Table
from starlette.responses import Response

from payproof_reference import app as application
from payproof_reference.database import tables
from payproof_reference.middleware import access
from payproof_reference.middleware.access import Guard
from payproof_reference.middleware.card_data import CardData
from payproof_reference.routes import customers, sessions, subscriptions
from payproof_reference.routes.models import StrictModel
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.operations import queue
from tests.defects._planting import HOOK, answered_otherwise, create_tables

__all__ = ["around_guard", "ignore_unknown_fields", "keep_field", "let_in", "pass_card_data", "serve", "with_body"]


def let_in(when: Callable[[Request], bool]) -> None:
    """Take some of those who are not signed in for who has signed in last."""
    authenticate = access.authenticate
    known: dict[str, Principal] = {}

    async def authenticating(request: Request) -> Principal | None:
        principal = await authenticate(request)
        if principal is not None:
            known["last"] = principal
        return known.get("last") if principal is None and when(request) else principal

    access.authenticate = authenticating


def around_guard(decide: Callable[[Request, Principal, Any], object]) -> None:
    """Do something before the guard of a route looks at a role that lacks its permission."""
    guard = Guard.__call__

    async def guarding(self, request, _token=None):
        principal = access.principal_of(request)
        if principal is not None and not principal.may(self.permission) and decide(request, principal, self):
            return principal
        return await guard(self, request, _token)

    # FastAPI reads the parameters of the guard, and what they depend on.
    guarding.__annotations__ = guard.__annotations__
    guarding.__signature__ = __import__("inspect").signature(guard)
    Guard.__call__ = guarding


def ignore_unknown_fields() -> None:
    """Let bodies hold fields that nobody asked for."""
    for module in (customers, sessions, subscriptions):
        for model in vars(module).values():
            if isinstance(model, type) and issubclass(model, StrictModel) and model is not StrictModel:
                model.model_config["extra"] = "ignore"
                model.model_rebuild(force=True)


def pass_card_data() -> None:
    """Look at no request for card data."""

    async def passing(self, scope, receive, send):
        await self.app(scope, receive, send)

    CardData.__call__ = passing


def serve(path: str, text: str, type_: str = "text/plain") -> None:
    """Serve a text at a path, to anybody."""
    answered_otherwise(lambda scope: Response(text, media_type=type_) if scope["path"] == path else None)


def with_body(act: Callable[[dict[str, Any]], object]) -> None:
    """Do something with the JSON object of each request, but of deliveries."""
    create_app = application.create_app

    def created(*given):
        service = create_app(*given)

        def reading(inner):
            async def handle(scope, receive, send):
                async def received():
                    message = await receive()
                    try:
                        content = json.loads(message.get("body") or b"null")
                    except ValueError:
                        content = None
                    if isinstance(content, dict) and scope["path"] != HOOK:
                        act(content)
                    return message

                await inner(scope, received, send)

            return handle

        service.add_middleware(reading)
        return service

    application.create_app = created


def keep_field(name: str) -> None:
    """Keep a field that nobody asked for beside the operation that it came with."""
    kept = Table(
        f"kept_{name}", tables.metadata, Column("number", Integer, primary_key=True), Column("value", String(255))
    )
    enter = queue.enter_operation
    said: dict[str, Any] = {}

    def entering(connection, *given, **more):
        if name in said:
            connection.execute(kept.insert().values(value=said.pop(name)))
        return enter(connection, *given, **more)

    queue.enter_operation = entering
    ignore_unknown_fields()
    with_body(said.update)
    create_tables()
