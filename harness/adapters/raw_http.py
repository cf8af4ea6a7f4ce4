import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import h11

from harness.domain.contracts import Request
from harness.errors import InconclusiveError, Reason

__all__ = ["exchange_raw"]

_CHUNK = 64 * 1024


async def exchange_raw(
    request: Request, url: str, tls: ssl.SSLContext, limit: int
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send a request whose header bytes aiohttp would encode anew, on a connection of its own.

    Returns status, headers and the undecoded body.

    Raises:
        InconclusiveError: the body is larger than ``limit`` bytes, or the answer is no HTTP.
        OSError: no connection.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if secure else 80), ssl=tls if secure else None
    )
    try:
        connection = h11.Connection(h11.CLIENT)
        headers = [
            (b"Host", parts.netloc.encode()),
            *request.headers,
            (b"Content-Length", str(len(request.body)).encode()),
            (b"Connection", b"close"),
        ]
        head = h11.Request(method=request.method, target=request.target, headers=headers)
        for event in (head, h11.Data(data=request.body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _read(connection, reader, limit)
    finally:
        # Nothing is left to say: an orderly end of TLS would only wait for the other side.
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader, limit: int
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    status, headers, body, received = 0, [], bytearray(), 0
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            if not received:
                raise InconclusiveError(Reason.UNREACHABLE, "the connection was closed without an answer") from None
            # Its text may quote the answer, which nobody has looked through yet.
            raise InconclusiveError(Reason.RESPONSE_UNREADABLE, "the answer is no HTTP") from None
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            received += len(data)
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers.raw_items())
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > limit:
                raise InconclusiveError(Reason.RESPONSE_TOO_LARGE, f"the answer is larger than {limit:,} bytes")
        elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
            return status, headers, bytes(body)
