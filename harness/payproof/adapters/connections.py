"""Connections that are kept between requests, and how one tells that it was stale.

A server may end a connection that it has kept without saying so, at any time (RFC 9112, 9.3.1 and 9.5). A request that
meets such a connection was most likely never seen, but that cannot be known: the server may have acted on it and then
broken off. So, in this order:

- A connection whose end has arrived is not used: before each request the loop reads what is there.
- What must not be done twice (an operation that is counted at Stripe) never goes over a connection that was used.
- Anything else, a delivery that Stripe itself would repeat and that its event's id makes known, is sent once more on a
  fresh connection, if the old one had been used before and ended before a byte of an answer was read (RFC 9110, 9.2.2).
  The exchange says so. On a fresh connection nothing is ever repeated: no answer there is the target's.
"""

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from ssl import SSLContext
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

__all__ = ["END_OF_TLS_SECONDS", "Attempt", "Connections"]

END_OF_TLS_SECONDS = 0.1
# An idle connection is given up before the common servers close it.
_KEEP_IDLE_SECONDS = 1.0
_TURNS = 5  # of the loop, until what has arrived has gone through TLS and the parser


class _Handler(ResponseHandler):
    """One connection, which counts what it has read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.received = 0
        self.requests = 0

    def data_received(self, data: bytes) -> None:
        """Count, and pass on."""
        self.received += len(data)
        super().data_received(data)


class Attempt:
    """One try to send a request: over which connection, and what that had read before."""

    def __init__(self) -> None:
        self._handler: _Handler | None = None
        self._before = 0

    def begin(self, handler: _Handler) -> None:
        """Note the connection that was chosen."""
        self._handler, self._before = handler, handler.received
        handler.requests += 1

    @property
    def met_a_stale_connection(self) -> bool:
        """Whether the connection had been used before, and nothing was read from it since."""
        handler = self._handler
        return handler is not None and handler.requests > 1 and handler.received == self._before


_attempt: ContextVar[Attempt] = ContextVar("attempt")


class _Connector(aiohttp.TCPConnector):
    """Makes connections that count, and tells each attempt which one it got."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._factory = cast("partial[ResponseHandler]", partial(_Handler, loop=self._loop))

    async def connect(self, *given: Any, **more: Any) -> Any:
        """Return a connection, from the pool or new."""
        connection = await super().connect(*given, **more)
        handler = connection.protocol
        assert isinstance(handler, _Handler)
        _attempt.get().begin(handler)
        return connection


class Connections:
    """The connections with one target; open and close them within one event loop."""

    def __init__(self, tls: SSLContext) -> None:
        self._kept, self._single = _session(tls, keep=True), _session(tls, keep=False)

    async def close(self) -> None:
        """Close every connection."""
        for client in (self._kept, self._single):
            assert client.connector is not None
            await client.connector.close(abort_ssl=True)
            await client.close()

    async def choose(self, *, once: bool) -> aiohttp.ClientSession:
        """Return what sends a request: over a kept connection, if what has arrived does not say that it has ended."""
        if once:
            return self._single
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        return self._kept

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Watch the one request that is sent within."""
        watched = Attempt()
        token = _attempt.set(watched)
        try:
            yield watched
        finally:
            _attempt.reset(token)


def _session(tls: SSLContext, *, keep: bool) -> aiohttp.ClientSession:
    how: dict[str, Any] = {"keepalive_timeout": _KEEP_IDLE_SECONDS} if keep else {"force_close": True}
    with warnings.catch_warnings():
        # aiohttp means to drop the setting, and has no other for a target that never ends TLS.
        warnings.simplefilter("ignore", DeprecationWarning)
        connector = _Connector(ssl=tls, limit=0, ssl_shutdown_timeout=END_OF_TLS_SECONDS, **how)
    client = aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),  # the contract's limit holds, around the whole exchange
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
    )
    # As in aiohttp's own TestClient: it would repeat idempotent methods, on fresh connections too, and say nothing.
    client._retry_connection = False  # noqa: SLF001
    return client
