import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from payproof_reference import server
from payproof_reference.certificate import Certificate
from payproof_reference.telemetry import metrics
from tests.waiting import DEADLINE

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"


class Application:
    """Reads each body to its end and says how long it was; notes the requests whose client went away."""

    def __init__(self) -> None:
        self.abandoned = 0
        self.seconds = 0.0

    async def __call__(self, scope, receive, send) -> None:
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            self.abandoned += 1
            return
        await asyncio.sleep(self.seconds)
        await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
def application() -> Application:
    """What answers."""
    return Application()


@pytest.fixture
def port(application, authority, tmp_path, monkeypatch) -> Iterator[int]:
    """A server in this process that allows half a second for a head and one for a body."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(server, "BODY_SECONDS", 1.0)
    leaf = authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate = Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem")
    service = server.create_server(application, certificate.context)
    with server.listen("127.0.0.1", 0, "the test") as listener:
        thread = threading.Thread(target=service.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        service.should_exit = True
        thread.join(DEADLINE)


@pytest.fixture
def connect(port: int, authority: trustme.CA):
    """What opens a connection by TLS."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    @contextmanager
    def connected() -> Iterator[ssl.SSLSocket]:
        with (
            socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=True) as connection,
        ):
            yield connection

    return connected


def drip(connection: ssl.SSLSocket, byte: bytes = b"a") -> float:
    """Send a byte every tenth of a second until the other side has had enough; give the seconds that took."""
    begun = time.monotonic()
    try:
        while time.monotonic() < begun + DEADLINE:
            connection.sendall(byte)
            time.sleep(0.1)
    except OSError:
        return time.monotonic() - begun
    raise AssertionError("the connection was held to the end")


def dropped(part: str) -> float:
    return metrics.REGISTRY.get_sample_value("billing_requests_too_slow_total", {"part": part}) or 0


def answer(connection: ssl.SSLSocket) -> bytes:
    """Read until the body of a short answer has come."""
    found = b""
    while b"\r\n\r\n" not in found or found.endswith(b"\r\n\r\n"):
        found += connection.recv(65_536)
    return found


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nX: ", HEAD.removesuffix(b"\r\n")])
def test_head_at_a_drip_ends_the_connection(connect, application, begun):
    """A head that is not whole in time is cut off, however regularly its bytes come; the application never sees it."""
    before = dropped("head")
    with connect() as connection:
        connection.sendall(begun)
        assert drip(connection) > 0.3
    assert (dropped("head"), application.abandoned) == (before + 1, 0)


def test_silent_connection_is_ended(connect):
    """A client that says nothing at all is let go in the same time."""
    with connect() as connection:
        begun = time.monotonic()
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        assert time.monotonic() - begun > 0.3


@pytest.mark.parametrize("begun", [b"", b"a" * 999])
def test_body_at_a_drip_ends_the_connection(connect, application, begun):
    """A body that is not whole in time is cut off, and the application is told that the client is gone."""
    before = dropped("body")
    with connect() as connection:
        connection.sendall(HEAD.replace(b"1000", b"2000") + begun)
        assert drip(connection) > 0.6
    assert (dropped("body"), application.abandoned) == (before + 1, 1)


def test_body_in_pieces_but_in_time_is_taken(connect):
    """What comes within the time is one request, in however many pieces."""
    with connect() as connection:
        for piece in (HEAD[:20], HEAD[20:], b"a" * 400, b"a" * 600):
            connection.sendall(piece)
            time.sleep(0.1)
        assert answer(connection).endswith(b"\r\n\r\n1000")


def test_each_request_of_a_connection_has_its_own_time(connect):
    """Three requests that together take longer than one may, with pauses between them, are all answered."""
    with connect() as connection:
        for _ in range(3):
            connection.sendall(HEAD)
            time.sleep(0.6)
            connection.sendall(b"a" * 1000)
            assert answer(connection).endswith(b"\r\n\r\n1000")


def test_slow_application_is_not_the_clients_fault(connect, application):
    """Once a request is there, no time runs against the client, whatever the answer takes."""
    application.seconds = 1.5
    with connect() as connection:
        connection.sendall(HEAD + b"a" * 1000)
        assert answer(connection).endswith(b"\r\n\r\n1000")


def test_second_head_at_a_drip_ends_the_connection(connect, application):
    """The time also runs for the requests after the first one, pipelined behind it or not."""
    with connect() as connection:
        connection.sendall(HEAD + b"a" * 1000 + b"GET ")
        assert answer(connection).endswith(b"\r\n\r\n1000")
        assert drip(connection) > 0.2
    assert application.abandoned == 0
