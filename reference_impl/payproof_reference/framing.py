"""The end of each request: a connection is closed where that end is in doubt, or where nobody reads the rest."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof_reference.middleware.errors import build_problem
from payproof_reference.middleware.security import SECURITY_HEADERS

__all__ = ["LINGER_BYTES", "LINGER_SECONDS", "Framing", "Lingering"]

log = structlog.get_logger()

# Of a body that was not asked for, this is taken so that the connection can go on; more would cost more than a new one.
SMALL = 64 * 1024
# What is still taken after the last answer, and how long the other side has to read it.
LINGER_BYTES = 1024 * 1024
LINGER_SECONDS = 2.0


class Framing:
    """ASGI wrapper around the whole application.

    A request with both Content-Length and Transfer-Encoding is refused, as two servers may see its end at two places,
    and so take bytes of a body for the next request (RFC 9112, 6.1 and 11.2). An answer that is given before much of a
    body was read, such as 401 and 413, ends the connection: the rest would be an upload for nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and have its answer end the connection where the next request could not follow."""
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            log.info("request_framing_refused", origin=scope["client"][0] if scope.get("client") else "unknown")
            answer = build_problem(HTTPStatus.BAD_REQUEST, headers={**SECURITY_HEADERS, "Connection": "close"})
            await answer(scope, receive, send)
            return
        is_chunked, is_whole, left = "transfer-encoding" in headers, False, int(headers.get("content-length", "0"))

        async def receive_and_count() -> Message:
            nonlocal is_whole, left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
            return message

        async def send_and_end(message: Message) -> None:
            # Who waits to be asked for a body (RFC 9110, 10.1.1) may send the next request instead of it, or not.
            is_waiting = "expect" in headers
            if (
                message["type"] == "http.response.start"
                and not is_whole
                and (is_chunked or left > SMALL or (left > 0 and is_waiting))
            ):
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive_and_count, send_and_end)


class Lingering:
    """A transport that is not closed before the other side has had the time to read the last answer.

    Closed while more comes in, the system would answer that with a reset, at which the other side may lose what it has
    not read yet (RFC 9112, 9.6). What comes is thrown away, in bounds of bytes and seconds.

    Args:
        transport: of the connection.
        expects_more: whether the other side may still be sending.
    """

    def __init__(self, transport: asyncio.Transport, expects_more: Callable[[], bool]) -> None:
        self._transport, self._expects_more = transport, expects_more
        self._end: asyncio.TimerHandle | None = None
        self._left = LINGER_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether the last answer is on its way."""
        return self._end is not None or self._transport.is_closing()

    def close(self) -> None:
        """Close once the other side had its time, or at once where it has nothing more to send."""
        if self.is_closing():
            return
        if not self._expects_more():
            self._transport.close()
            return
        self._end = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.abort)
        self._transport.resume_reading()

    def throws_away(self, data: bytes) -> bool:
        """Take what came after the last answer; False before that one."""
        if self._end is None:
            return False
        self._left -= len(data)
        if self._left < 0:
            # Unread it holds the sender up, who reads the answer meanwhile; a reset would come before that.
            self._transport.pause_reading()
        return True

    def forget(self) -> None:
        """Wait for nothing more: the connection is lost."""
        if self._end is not None:
            self._end.cancel()
