"""Requests that are let go together: each is whole but for its last byte before the first is complete."""

import asyncio
import ssl
import time

import pytest
import trustme

from payproof.adapters.raw_http import exchange_together
from payproof.domain.request import Request
from payproof.errors import InconclusiveError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Arrivals:
    """A server that notes when each request had come but for its last byte, and when it was whole."""

    def __init__(self, *, answer=ANSWER, at_a_time=100, delay=0.0):
        self.nearly, self.whole = [], []
        self.answer, self.delay = answer, delay
        self.places = asyncio.Semaphore(at_a_time)

    async def serve(self, reader, writer):
        """Answer one request on one connection."""
        async with self.places:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length - 1)
                self.nearly.append(time.perf_counter())
                await reader.readexactly(1)
                self.whole.append(time.perf_counter())
                await asyncio.sleep(self.delay)
                writer.write(self.answer)
                await writer.drain()
            finally:
                writer.close()


def race(arrivals, copies=20, *, within=2.0, secure=False):
    """Let copies of a request go at a server; return what came of each."""
    authority = trustme.CA()
    context, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(trusting)

    async def go():
        server = await asyncio.start_server(arrivals.serve, "127.0.0.1", 0, ssl=context if secure else None)
        async with server:
            port = server.sockets[0].getsockname()[1]
            url = f"http{'s' if secure else ''}://127.0.0.1:{port}/hook?a=1"
            request = Request("POST", "/hook", ((b"Content-Type", b"application/json"),), b'{"id":"evt_1"}', "one")
            return await exchange_together([(request, url)] * copies, trusting, 1000, within)

    return asyncio.run(go())


@pytest.mark.parametrize("secure", [False, True])
def test_all_are_ready_before_the_first_is_complete(secure):
    """The last bytes go out once every connection has got the rest, TLS included."""
    arrivals = Arrivals()
    releases = race(arrivals, secure=secure)
    assert [one.outcome[0] for one in releases] == [200] * 20
    assert max(arrivals.nearly) <= min(arrivals.whole)
    assert min(one.after for one in releases) == 0
    assert all(one.seconds > 0 for one in releases)


def test_a_server_that_opens_one_connection_at_a_time_gets_them_all():
    """Who cannot have all connections open at once still answers each request."""
    releases = race(Arrivals(at_a_time=1), 5, secure=False)
    assert [one.outcome[2] for one in releases] == [b"ok"] * 5


@pytest.mark.parametrize(
    ("arrivals", "error"),
    [({"answer": b"no http"}, InconclusiveError), ({"answer": b""}, InconclusiveError), ({"delay": 1.0}, TimeoutError)],
)
def test_what_goes_wrong_is_told_of_each(arrivals, error):
    """A copy without an answer is no reason to lose the others."""
    releases = race(Arrivals(**arrivals), 3, within=0.3)
    assert [type(one.outcome) for one in releases] == [error] * 3


def test_nobody_there_is_told():
    """Where no connection comes about, each copy says so."""
    request = Request("POST", "/hook", (), b"{}", "one")
    asked = [(request, "http://127.0.0.1:9/hook")] * 2
    releases = asyncio.run(exchange_together(asked, ssl.create_default_context(), 1000, 0.5))
    assert [type(one.outcome) for one in releases] == [ConnectionRefusedError] * 2
    assert [one.after for one in releases] == [0, 0]
