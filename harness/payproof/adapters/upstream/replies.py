"""Puts answers on the wire: good ones, and those that break HTTP."""

import asyncio
import socket
import struct
from collections.abc import Iterable

from aiohttp import web

from payproof.stripe.api import ApiAnswer, error_body
from payproof.stripe.upstream.faults import Alteration, Altered, Redirect, Reply, Reset, Written

__all__ = ["reset", "send"]

# What aiohttp sets itself, or must not be given twice.
_OWN = frozenset({"connection", "content-encoding", "content-length", "date", "server", "transfer-encoding"})
_SERVER = ("Server", "nginx")
_PIECES = 20  # of a slow body
_OFF = 10  # bytes by which a wrong Content-Length is wrong


class _Nothing(web.StreamResponse):
    """An answer that was written by other means, or is none."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


def _nothing() -> web.StreamResponse:
    nothing = _Nothing()
    nothing.force_close()
    return nothing


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection by a TCP reset."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def send(
    request: web.BaseRequest, reply: Reply | None, answer: ApiAnswer | None, elsewhere: str
) -> web.StreamResponse:
    """Send a reply, or without one the backend's answer, and return what aiohttp is to take for the response.

    ``elsewhere`` is the base that a redirect leads to.

    Raises:
        ConnectionError: the target did not wait for it.
    """
    match reply:
        case Reset():
            reset(request.transport)
            return _nothing()
        case Written():
            body = reply.content if reply.error is None else error_body(reply.error)
            headers = (("Content-Type", reply.content_type), *reply.headers)
            return await _whole(request, reply.status, headers, body)
        case Redirect():
            return await _whole(request, reply.status, (("Location", elsewhere + request.raw_path),), b"")
    assert answer is not None
    if isinstance(reply, Altered):
        return await _send_altered(request, reply, answer)
    return await _whole(request, answer.status, answer.headers, answer.body)


async def _whole(
    request: web.BaseRequest, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> web.StreamResponse:
    response = web.Response(status=status, body=body)
    for name, value in (*_drop_own_headers(headers), _SERVER):
        if name.lower() == "content-type":
            response.headers[name] = value
        else:
            response.headers.add(name, value)
    await response.prepare(request)
    await response.write_eof()
    return response


def _drop_own_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OWN]


async def _send_altered(request: web.BaseRequest, reply: Altered, answer: ApiAnswer) -> web.StreamResponse:
    body = answer.body
    half = body[: max(1, len(body) // 2)]
    match reply.how:
        case Alteration.CUT:
            return await _whole(request, answer.status, answer.headers, half)
        case Alteration.WRONG_TYPE:
            kept = [pair for pair in answer.headers if pair[0].lower() != "content-type"]
            return await _whole(request, answer.status, (*kept, ("Content-Type", "text/html; charset=utf-8")), body)
        case Alteration.SLOW:
            return await _slow(request, answer, reply.seconds)
        case Alteration.TORN:
            return await _by_hand(request, answer, half, len(body))
        case Alteration.TOO_LONG:
            return await _by_hand(request, answer, body, len(body) + _OFF)
        case Alteration.TOO_SHORT:
            return await _by_hand(request, answer, body, max(0, len(body) - _OFF))


async def _slow(request: web.BaseRequest, answer: ApiAnswer, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    for name, value in (*_drop_own_headers(answer.headers), _SERVER):
        response.headers[name] = value
    response.content_length = len(answer.body)
    await response.prepare(request)
    size = max(1, -(-len(answer.body) // _PIECES))
    for start in range(0, len(answer.body), size):
        await asyncio.sleep(seconds / _PIECES)
        await response.write(answer.body[start : start + size])
    await response.write_eof()
    return response


async def _by_hand(request: web.BaseRequest, answer: ApiAnswer, body: bytes, length: int) -> web.StreamResponse:
    """Send a body under a Content-Length that aiohttp would not let pass, and end the connection."""
    lines = [f"HTTP/1.1 {answer.status} Whatever", f"Content-Length: {length}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (*_drop_own_headers(answer.headers), _SERVER)]
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError
    transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)
    transport.close()
    return _nothing()
