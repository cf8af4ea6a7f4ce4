"""Refuses requests with card data: SAQ A rests on none ever reaching this service (PCI DSS 3.2.1)."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof_reference.middleware import paths
from payproof_reference.middleware.access import principal_of
from payproof_reference.middleware.bodies import BodyTooLargeError, read_body
from payproof_reference.middleware.errors import build_problem
from payproof_reference.middleware.refusals import enter_refusal, origin_of
from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.text import card_data, strict_json

__all__ = ["CardData"]

log = structlog.get_logger()

# Bytes. What is asked of this service has a few hundred, and to look through more would only cost time.
LONGEST_BODY = 4096
LONGEST_ADDRESS = 2048
JSON = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)


class RequestRefusedError(Exception):
    """A request is refused; carries the status of the answer and nothing of what was sent."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class CardData:
    """ASGI middleware that looks through path, query and body of every request, but those to the webhook.

    It stands behind authentication: a stranger gets 401 and nothing of theirs is read, and a refusal is recorded with
    the name of the caller whose software sends card data. Nothing that was sent is answered or logged.
    Stripe's events pass: what their bytes say is signed, and what is read of them has no room for card data.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the body that was looked through, or refuse it."""
        if scope["path"] in paths.WEBHOOKS:
            await self.app(scope, receive, send)
            return
        try:
            body = await look_through(Request(scope, receive))
        except RequestRefusedError as refusal:
            await build_problem(refusal.status)(scope, receive, send)
        else:
            await self.app(scope, replay_body(body, receive), send)


async def look_through(request: Request) -> bytes:
    """Read the body of a request, and return it when neither it nor the address holds card data.

    Raises:
        RefusedError: 400 for card data, which is recorded, and for what is no JSON; 413, 414 and 415 for what is not
            looked through.
    """
    address = decode_address(request.scope)
    try:
        body = await read_body(request, LONGEST_BODY)
    except BodyTooLargeError:
        raise RequestRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    if card_data.holds_card_data([address, parse_body(request, body)]):
        await enter_card_data(request)
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST)
    return body


def decode_address(scope: Scope) -> list[Any]:
    """Decode path and query.

    Raises:
        RefusedError: they are too long.
    """
    if len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
        raise RequestRefusedError(HTTPStatus.REQUEST_URI_TOO_LONG)
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return [scope["path"], *({name: value} for name, value in query)]


def parse_body(request: Request, body: bytes) -> Any:
    """Read a body as what it has to be: nothing, or JSON that is neither compressed nor in another encoding.

    A form is not read at all: no route takes one.

    Raises:
        RefusedError: it is something else.
    """
    if not body:
        return None
    types = request.headers.getlist("content-type")
    if len(types) != 1 or not JSON.fullmatch(types[0]) or "content-encoding" in request.headers:
        raise RequestRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        return strict_json.parse(body, fraction=str)
    except ValueError:
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST) from None


def replay_body(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read once more, and after it what comes next."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return left.pop() if left else await receive()

    return give


async def enter_card_data(request: Request) -> None:
    """Record and log that card data was refused, and who sent it."""
    principal, origin = principal_of(request), origin_of(request)
    record = Record(
        event=Action.CARD_DATA_REFUSED,
        actor=principal.actor if principal else "anonymous",
        result=Result.REFUSED,
        origin=origin,
        tenant_id=principal.tenant_id if principal else None,
    )
    await enter_refusal(request, record)
    log.warning(record.event, actor=record.actor, origin=origin)
