"""A connection goes on only where the next request can follow, and ends so that the last answer can be read."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from payproof_reference import framing, server
from payproof_reference.certificate import Certificate
from tests.waiting import until

DEADLINE = 10
MEGABYTE = 1024 * 1024
GET = b"GET /read HTTP/1.1\r\nHost: a\r\n\r\n"


class Application:
    """Reads what is asked of /read and says how long it was; refuses all else with 401 and reads nothing of it."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        self.paths.append(scope["path"])
        if scope["path"] == "/read":
            answer = PlainTextResponse(str(len(await Request(scope, receive).body())))
        else:
            answer = PlainTextResponse("no", 401)
        await answer(scope, receive, send)


@pytest.fixture
def application() -> Application:
    """What answers."""
    return Application()


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    """What stays open longer than the server."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["TLS", "plain"])
def connect(request, application, authority, tmp_path, monkeypatch):
    """What opens a connection to a server in this process, which lingers for a short time."""
    monkeypatch.setattr(framing, "LINGER_SECONDS", 0.3)
    leaf = authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    secure = request.param == "TLS"
    context = Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem").context if secure else None
    service = server.create_server(application, context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    @contextmanager
    def connected() -> Iterator[socket.socket]:
        with socket.create_connection((listener.getsockname()[0], listener.getsockname()[1]), DEADLINE) as plain:
            if not secure:
                yield plain
                return
            with trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                yield connection

    with server.listen("127.0.0.1", 0, "the test") as listener:
        thread = threading.Thread(target=service.run, kwargs={"sockets": [listener]})
        thread.start()
        until(lambda: service.started)
        yield connected
        service.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive()


def head(path: bytes, *fields: bytes, method: bytes = b"POST") -> bytes:
    """Return the head of a request."""
    return b"\r\n".join((method + b" " + path + b" HTTP/1.1", b"Host: a", *fields)) + b"\r\n\r\n"


def answer(connection) -> tuple[bytes, bytes]:
    """Read one answer; return its head and its body."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = connection.recv(1)
        assert more, found
        found += more
    length = next(int(line.split(b":")[1]) for line in found.split(b"\r\n") if line.startswith(b"content-length"))
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return found.lower(), body


def is_ended(connection) -> bool:
    """Whether the other side ends the connection, in whatever way."""
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def upload(connection, piece: bytes, pieces: int) -> int:
    """Send a body until the other side has had enough; return how many bytes it took."""
    sent = 0
    with suppress(OSError):
        for _ in range(pieces):
            connection.sendall(piece)
            sent += len(piece)
    return sent


SIZED = (b"Content-Length: %d" % (100 * MEGABYTE), b"A" * MEGABYTE)
CHUNKED = (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (MEGABYTE, b"A" * MEGABYTE))


@pytest.mark.parametrize(("field", "piece"), [SIZED, CHUNKED], ids=["sized", "chunked"])
def test_upload_that_is_refused_is_not_taken(connect, field, piece):
    """Who sends 100 MB to a closed door can read the answer, which says that the connection ends, and then it does."""
    with connect() as connection:
        connection.sendall(head(b"/closed", field) + piece[:1000])
        got, body = answer(connection)
        assert (got.split()[1], body, b"connection: close" in got) == (b"401", b"no", True)
        # What the system holds for both sides is some megabytes.
        assert upload(connection, piece, 100) < 30 * MEGABYTE


def test_answer_is_read_by_who_sends_first(connect, monkeypatch):
    """Who reads only once all is sent finds the answer, where what is sent is within the bounds."""
    monkeypatch.setattr(framing, "LINGER_SECONDS", 3.0)
    with connect() as connection:
        connection.sendall(head(b"/closed", b"Content-Length: %d" % (MEGABYTE // 2)))
        for _ in range(8):
            connection.sendall(b"A" * (MEGABYTE // 16))
        assert answer(connection)[1] == b"no"
        assert is_ended(connection)


def test_small_body_that_nobody_reads_keeps_the_connection(connect, application):
    """A refusal of a request of usual size costs nobody a new connection."""
    with connect() as connection:
        for _ in range(3):
            connection.sendall(head(b"/closed", b"Content-Length: 2000") + b"A" * 2000)
            got, _ = answer(connection)
            assert b"connection: close" not in got
    assert application.paths == ["/closed"] * 3


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS"])
def test_body_where_none_is_usual(connect, method):
    """Whether a body is read decides, and not the method."""
    with connect() as connection:
        connection.sendall(head(b"/closed", b"Content-Length: 5000000", method=method) + b"A" * 1000)
        assert b"connection: close" in answer(connection)[0]
    with connect() as connection:
        connection.sendall(head(b"/read", b"Content-Length: 300000", method=method) + b"A" * 300_000)
        got, body = answer(connection)
        assert (body, b"connection: close" in got) == (b"300000", False)
        connection.sendall(GET)
        assert answer(connection)[1] == b"0"


@pytest.mark.parametrize("coding", [b"Transfer-Encoding: chunked", b"transfer-encoding:\tCHUNKED"])
def test_length_beside_chunks_is_refused(connect, application, coding):
    """A request whose end two servers may see at two places is answered 400, and nothing behind it is a request."""
    with connect() as connection:
        smuggled = head(b"/read", b"Content-Length: 0")
        connection.sendall(head(b"/read", b"Content-Length: 5", coding) + b"0\r\n\r\n" + smuggled)
        got, body = answer(connection)
        assert (got.split()[1], b"connection: close" in got) == (b"400", True)
        assert b"x-content-type-options: nosniff" in got
        assert body
        assert is_ended(connection)
    assert application.paths == []


def test_who_waits_to_be_asked_for_a_body_is_told_the_end(connect):
    """A refusal in place of 100 ends the connection, as who waited may send the body or the next request."""
    with connect() as connection:
        connection.sendall(head(b"/closed", b"Content-Length: 10", b"Expect: 100-continue"))
        got, _ = answer(connection)
        assert (got.split()[1], b"connection: close" in got) == (b"401", True)
        assert is_ended(connection)


def test_who_waits_is_asked_where_the_body_is_read(connect):
    """A body that is wanted is asked for, and the connection goes on."""
    with connect() as connection:
        connection.sendall(head(b"/read", b"Content-Length: 10", b"Expect: 100-continue"))
        assert connection.recv(12) == b"HTTP/1.1 100"
        rest = b""
        while not rest.endswith(b"\r\n\r\n"):
            rest += connection.recv(1)
        connection.sendall(b"A" * 10)
        assert answer(connection)[1] == b"10"
        connection.sendall(GET)
        assert answer(connection)[1] == b"0"


@pytest.mark.parametrize(
    "wrong",
    [
        b"PAY(PROOF) / HTTP/1.1\r\n\r\n",
        head(b"/read", b"Content-Length: " + b"9" * 5000),
        head(b"/read", b"Content-Length: 5", b"Content-Length: 6"),
        head(b"/read", b"Transfer-Encoding: chunked") + b"zz\r\n",
        head(b"/read", b"Transfer-Encoding: gzip, chunked"),
    ],
    ids=["method", "length of 5,000 digits", "two lengths", "size of a chunk", "two codings"],
)
def test_nothing_follows_what_is_malformed(connect, application, wrong):
    """What is no HTTP is answered 400, however much is sent behind it, and none of that is a request."""
    with connect() as connection:
        connection.sendall(wrong + GET * 2000)
        got, _ = answer(connection)
        assert (got.split()[1], b"connection: close" in got) == (b"400", True)
        assert is_ended(connection)
    assert application.paths in ([], ["/read"])  # the one whose body is wrong has begun


def test_server_ends_while_a_connection_lingers(kept, connect, monkeypatch):
    """Who goes on to send holds up no stop, which the fixture waits for while the connection is open."""
    monkeypatch.setattr(framing, "LINGER_SECONDS", 3600.0)
    connection = kept.enter_context(connect())
    connection.sendall(head(b"/closed", SIZED[0]))
    answer(connection)
