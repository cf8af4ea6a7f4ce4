"""Requests written to connections of their own, byte by byte: what aiohttp would send otherwise, or at another time."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from payproof.domain.request import Request
from payproof.errors import InconclusiveError, Reason

__all__ = ["RawAnswer", "Release", "exchange_raw", "exchange_together", "exchange_wire"]

#: Status, headers and the undecoded body.
RawAnswer = tuple[int, list[tuple[bytes, bytes]], bytes]

_CHUNK = 64 * 1024
_ARRIVAL_SECONDS = 0.02  # in which a server reads what has been sent, so that it waits for nothing but the last byte
_OPENING_SECONDS = 2.0  # for all connections of a race; who opens one at a time lets the others in later


@dataclass(frozen=True, slots=True)
class Release:
    """What came of one of several requests that were let go together.

    ``after`` is how many seconds after the first of them its last byte was written, ``seconds`` how long its answer
    took from then on.
    """

    after: float
    seconds: float
    outcome: RawAnswer | Exception


async def exchange_raw(request: Request, url: str, tls: ssl.SSLContext, limit: int) -> RawAnswer:
    """Send a request on a connection of its own: a large one, one from another address, or one of odd header bytes.

    Raises:
        InconclusiveError: the body is larger than ``limit`` bytes, or the answer is no HTTP.
        OSError: no connection.
    """
    wire, parser = _encode(request, url)
    return await _exchange(wire, parser, url, tls, limit, request.origin)


async def exchange_wire(request: Request, url: str, tls: ssl.SSLContext, limit: int) -> RawAnswer:
    """Send the bytes of a request that is malformed on purpose, and read whatever comes back as an answer to it.

    Raises:
        InconclusiveError: the body is larger than ``limit`` bytes, or the answer is no HTTP.
        OSError: no connection.
    """
    parser = h11.Connection(h11.CLIENT)
    # Only so that it reads an answer: what is sent instead, it would refuse to send.
    sound = h11.Request(method="POST", target="/", headers=[(b"Host", b"x"), (b"Content-Length", b"0")])
    for event in (sound, h11.EndOfMessage()):
        parser.send(event)
    return await _exchange(request.wire, parser, url, tls, limit)


async def exchange_together(
    requests: Sequence[tuple[Request, str]], tls: ssl.SSLContext, limit: int, within: float
) -> Sequence[Release]:
    """Send requests to their URLs as nearly at one time as can be: all but the last byte of each, then that of all.

    Each has a connection of its own, which is open, TLS included, before the first is let go. A server that opens one
    connection at a time gets the others as soon as it lets them in. An answer may take ``within`` seconds.
    """
    ready = [asyncio.Event() for _ in requests]
    go = asyncio.Event()
    written = [0.0] * len(requests)
    writers: list[tuple[asyncio.StreamWriter, bytes] | None] = [None] * len(requests)

    async def run(place: int, request: Request, url: str) -> tuple[float, RawAnswer | Exception]:
        wire, parser = _encode(request, url)
        try:
            async with asyncio.timeout(_OPENING_SECONDS + within), _connect(url, tls) as (reader, writer):
                writer.write(wire[:-1])
                writers[place] = writer, wire[-1:]
                ready[place].set()
                await go.wait()
                if not written[place]:
                    _let_go(place)
                async with asyncio.timeout(within):
                    outcome: RawAnswer | Exception = await _read(parser, reader, limit)
        except (OSError, TimeoutError, EOFError, InconclusiveError, h11.ProtocolError) as error:
            outcome = error
        finally:
            ready[place].set()
        return time.perf_counter(), outcome

    def _let_go(place: int) -> None:
        if (opened := writers[place]) is not None:
            written[place] = time.perf_counter()
            opened[0].write(opened[1])

    tasks = [asyncio.create_task(run(place, *one)) for place, one in enumerate(requests)]
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPENING_SECONDS):
                for one in ready:
                    await one.wait()
                await asyncio.sleep(_ARRIVAL_SECONDS)
        for place in range(len(requests)):
            _let_go(place)
        go.set()
        ended = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    first = min((moment for moment in written if moment), default=0.0)
    return [
        Release(moment - first if moment else 0.0, end - moment if moment else within, outcome)
        for moment, (end, outcome) in zip(written, ended, strict=True)
    ]


def _encode(request: Request, url: str) -> tuple[bytes, h11.Connection]:
    """Return the bytes of a request, and what reads its answer."""
    headers = [
        (b"Host", urlsplit(url).netloc.encode()),
        *request.headers,
        (b"Content-Length", str(len(request.body)).encode()),
        (b"Connection", b"close"),
    ]
    parser = h11.Connection(h11.CLIENT)
    # Of the URL, as what cannot stand on a request line is encoded there, and the base may have a path.
    target = "/" + url.split("/", 3)[3]
    head = h11.Request(method=request.method, target=target, headers=headers)
    events = (head, h11.Data(data=request.body), h11.EndOfMessage())
    return b"".join(parser.send(event) or b"" for event in events), parser


async def _exchange(
    wire: bytes, parser: h11.Connection, url: str, tls: ssl.SSLContext, limit: int, origin: str = ""
) -> RawAnswer:
    async with _connect(url, tls, origin) as (reader, writer):
        # Without waiting until all is sent: a server that has refused may close before it has read all, and what it
        # said is to be read meanwhile.
        writer.write(wire)
        return await _read(parser, reader, limit)


@asynccontextmanager
async def _connect(
    url: str, tls: ssl.SSLContext, origin: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname,
        parts.port or (443 if secure else 80),
        ssl=tls if secure else None,
        local_addr=(origin, 0) if origin else None,
    )
    try:
        yield reader, writer
    finally:
        # Nothing is left to say: an orderly end of TLS would only wait for the other side.
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _read(connection: h11.Connection, reader: asyncio.StreamReader, limit: int) -> RawAnswer:
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
