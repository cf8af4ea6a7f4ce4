import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import h11

from payproof.domain.request import Request
from payproof.errors import InconclusiveError, Reason

__all__ = ["exchange_raw", "exchange_wire"]

_CHUNK = 64 * 1024


async def exchange_raw(
    request: Request, url: str, tls: ssl.SSLContext, limit: int
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send a request on a connection of its own: a large one, one from another address, or one of odd header bytes.

    Returns status, headers and the undecoded body.

    Raises:
        InconclusiveError: the body is larger than ``limit`` bytes, or the answer is no HTTP.
        OSError: no connection.
    """
    headers = [
        (b"Host", urlsplit(url).netloc.encode()),
        *request.headers,
        (b"Content-Length", str(len(request.body)).encode()),
        (b"Connection", b"close"),
    ]
    connection = h11.Connection(h11.CLIENT)
    # Of the URL, as what cannot stand on a request line is encoded there, and the base may have a path.
    target = "/" + url.split("/", 3)[3]
    head = h11.Request(method=request.method, target=target, headers=headers)
    events = (head, h11.Data(data=request.body), h11.EndOfMessage())
    wire = b"".join(connection.send(event) or b"" for event in events)
    return await _exchange_raw(wire, connection, url, tls, limit, request.origin)


async def exchange_wire(
    request: Request, url: str, tls: ssl.SSLContext, limit: int
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Send the bytes of a request that is malformed on purpose, and read whatever comes back as an answer to it.

    Returns status, headers and the undecoded body.

    Raises:
        InconclusiveError: the body is larger than ``limit`` bytes, or the answer is no HTTP.
        OSError: no connection.
    """
    connection = h11.Connection(h11.CLIENT)
    # Only so that it reads an answer: what is sent instead, it would refuse to send.
    sound = h11.Request(method="POST", target="/", headers=[(b"Host", b"x"), (b"Content-Length", b"0")])
    for event in (sound, h11.EndOfMessage()):
        connection.send(event)
    return await _exchange_raw(request.wire, connection, url, tls, limit)


async def _exchange_raw(
    wire: bytes, connection: h11.Connection, url: str, tls: ssl.SSLContext, limit: int, origin: str = ""
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname,
        parts.port or (443 if secure else 80),
        ssl=tls if secure else None,
        local_addr=(origin, 0) if origin else None,
    )
    try:
        # Without waiting until all is sent: a server that has refused may close before it has read all, and what it
        # said is to be read meanwhile.
        writer.write(wire)
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
            data = await _more(reader, begun=status > 0)
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


async def _more(reader: asyncio.StreamReader, *, begun: bool) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except ConnectionError:
        if not begun:
            raise
        raise InconclusiveError(Reason.RESPONSE_UNREADABLE, "the connection broke within the answer") from None
