"""Targets that misbehave on the wire: a raw server on the loopback, and one function for each way to misbehave."""

import contextlib
import gzip
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

__all__ = ["Behaviour", "Received", "Server", "answer"]

_GIGABYTE = 1024**3
_CHUNK = b"A" * 65_536


@dataclass(frozen=True)
class Received:
    """One request, as its bytes came."""

    method: str
    target: str
    head: bytes
    body: bytes

    def header(self, name: str) -> bytes | None:
        """Return the first header of a name, or None."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip()
        return None


class Peer:
    """One connection, as a behaviour sees it."""

    def __init__(self, connection: socket.socket, ended: threading.Event) -> None:
        self._connection, self.ended = connection, ended

    def send(self, *parts: bytes) -> None:
        """Send bytes."""
        for part in parts:
            self._connection.sendall(part)

    def wait(self, seconds: float = 60) -> bool:
        """Wait until the server is to end; whether it is."""
        return self.ended.wait(seconds)


#: What a server does with a request; the connection is closed afterwards.
Behaviour = Callable[[Peer, Received], None]


class Server:
    """Listens on a free port of the loopback, with or without TLS; a thread for each connection."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._behave, self._tls = behave, tls
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        # What the other side breaks off is no fault of this one.
        with connection, contextlib.suppress(OSError):
            wrapped = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
            with wrapped:
                request = _read(wrapped)
                if request is not None:
                    self.requests.append(request)
                    self._behave(Peer(wrapped, self._ended), request)


def _read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return None
        if more.startswith(b"\x16\x03"):  # a greeting in TLS, to a server that speaks none
            connection.sendall(answer(400))
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
    request = Received(method, target, head, b"")
    length = int(request.header("Content-Length") or 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return Received(method, target, head, body)


def answer(
    status: int = 200, body: bytes = b"{}", headers: tuple[bytes, ...] = (), kind: bytes = b"application/json"
) -> bytes:
    """Return a whole answer."""
    lines = (
        b"HTTP/1.1 %d Whatever" % status,
        b"Content-Type: " + kind,
        b"Content-Length: %d" % len(body),
        *headers,
        b"Connection: close",
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def always(status: int) -> Behaviour:
    """Give the same answer to everything."""
    return lambda peer, _: peer.send(answer(status))


def verifying(accepted: Callable[[Received], bool], yes: int = 200, no: int = 401) -> Behaviour:
    """Answer by a rule."""
    return lambda peer, request: peer.send(answer(yes if accepted(request) else no))


def never(peer: Peer, _: Received) -> None:
    """Never answer."""
    peer.wait()


def drip(peer: Peer, _: Received) -> None:
    """Send one byte a second."""
    for byte in answer():
        peer.send(bytes([byte]))
        if peer.wait(1):
            return


def gigabyte(peer: Peer, _: Received) -> None:
    """Announce and send a body of 1 GB."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _GIGABYTE)
    for _ in range(_GIGABYTE // len(_CHUNK)):
        peer.send(_CHUNK)


def endless(peer: Peer, _: Received) -> None:
    """Send chunks without end."""
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.ended.is_set():
        peer.send(b"%x\r\n" % len(_CHUNK), _CHUNK, b"\r\n")


def gzip_bomb(peer: Peer, _: Received) -> None:
    """Send 16 GB as 16 MB of gzip; its checksum is wrong, but nobody must ever come to its end."""
    packer = zlib.compressobj(9, wbits=31)
    begun = packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    peer.send(answer(200, begun + again * 1_800, (b"Content-Encoding: gzip",)))


def gzip_bomb_of_members(peer: Peer, _: Received) -> None:
    """Send many small gzip members that are big together."""
    member = gzip.compress(b"\0" * 1_000_000)
    peer.send(answer(200, member * 1000, (b"Content-Encoding: gzip",)))


def corrupt_gzip(peer: Peer, _: Received) -> None:
    """Say gzip and send something else."""
    peer.send(answer(200, b"this is no gzip", (b"Content-Encoding: gzip",)))


def cut_gzip(peer: Peer, _: Received) -> None:
    """Send gzip that ends too early, with a right Content-Length."""
    peer.send(answer(200, gzip.compress(b"{}" * 1000)[:-12], (b"Content-Encoding: gzip",)))


def unknown_encoding(peer: Peer, _: Received) -> None:
    """Use a content encoding that nobody asked for."""
    peer.send(answer(200, b"\x1b\x03", (b"Content-Encoding: zstd",)))


def two_encodings(peer: Peer, _: Received) -> None:
    """Name two content encodings in two headers."""
    peer.send(answer(200, gzip.compress(b"{}"), (b"Content-Encoding: gzip", b"Content-Encoding: identity")))


def invalid_utf8(peer: Peer, _: Received) -> None:
    """Answer with bytes that are no text."""
    peer.send(answer(200, b"\xff\xfe\x00\x80{\xc3\x28}"))


def redirect_elsewhere(peer: Peer, _: Received) -> None:
    """Redirect to another host, keeping the method."""
    peer.send(answer(307, b"", (b"Location: https://elsewhere.invalid/webhooks/stripe",)))


def redirect_nowhere(peer: Peer, _: Received) -> None:
    """Redirect to what is no URL."""
    peer.send(answer(307, b"", (b"Location: http://[nowhere",)))


def redirect_loop(peer: Peer, request: Received) -> None:
    """Redirect to the same place again and again."""
    peer.send(answer(307, b"", (b"Location: " + request.target.encode(),)))


def garbage(peer: Peer, _: Received) -> None:
    """Answer with what is no HTTP."""
    peer.send(b"\x00\x01\x02 SSH-2.0-OpenSSH_9.6\r\n\r\n")


def close_at_once(_peer: Peer, _: Received) -> None:
    """Close without an answer."""


def close_in_body(peer: Peer, _: Received) -> None:
    """Close in the middle of the body."""
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"received"')


def continue_spam(peer: Peer, _: Received) -> None:
    """Send interim answers without end."""
    while not peer.ended.is_set():
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)


def many_headers(peer: Peer, _: Received) -> None:
    """Send 10,000 headers."""
    peer.send(answer(200, b"{}", tuple(b"X-%d: y" % number for number in range(10_000))))


def huge_header(peer: Peer, _: Received) -> None:
    """Send a header of 16 MB."""
    peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(256):
        peer.send(_CHUNK)
    peer.send(b"\r\n\r\n")


def echo(peer: Peer, request: Received) -> None:
    """Say in the answer, in every way, all that was sent: body, headers, names of headers, and control characters."""
    lines = request.head.split(b"\r\n")[1:]
    headers = tuple(b"X-Echo-%d: %s" % (number, line) for number, line in enumerate(lines))
    signature = request.header("Stripe-Signature") or b""
    names = tuple(b"X-" + part.replace(b"=", b"-") + b": 1" for part in signature.split(b",") if part.isalnum())
    body = b"\x1b[31m\x07" + request.head + b"\r\n\r\n" + request.body
    peer.send(answer(200, body, (*headers, *names), b"text/plain"))


def echo_gzip(peer: Peer, request: Received) -> None:
    """Say all that was sent, packed, in two gzip members."""
    half = len(request.body) // 2
    packed = gzip.compress(request.head + request.body[:half]) + gzip.compress(request.body[half:])
    peer.send(answer(200, packed, (b"Content-Encoding: gzip",)))


def openapi(path: str) -> Behaviour:
    """Publish an OpenAPI document that is bigger than the evidence that is kept, and reject what is not signed."""
    paths = {f"/filler/{number}": {"get": {"summary": "x" * 100}} for number in range(2_000)}
    document = {"openapi": "3.1.0", "paths": {**paths, path: {"post": {}}}}

    def behave(peer: Peer, request: Received) -> None:
        if request.method == "GET" and request.target == "/openapi.json":
            peer.send(answer(200, json.dumps(document).encode()))
        elif request.method == "POST" and request.target == path:
            peer.send(answer(400))
        else:
            peer.send(answer(404))

    return behave


@contextlib.contextmanager
def stopping_after(count: int) -> Iterator[Server]:
    """Answer 200 so many times, and then be gone: nothing listens any more."""

    def behave(peer: Peer, _: Received) -> None:
        peer.send(answer())
        if len(server.requests) == count:
            server._listener.shutdown(socket.SHUT_RDWR)

    with Server(behave) as server:
        yield server
