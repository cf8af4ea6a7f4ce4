"""A corpus of hostile servers: what a target, or what stands in its place, may do to whoever asks it; each a function.

`tests/end_to_end/hostile.py` has the server itself and the plain ways to misbehave; here are the ones that aim at time,
memory and parsers. `SERVERS` says of each how a delivery to it must end.
"""

import gzip
import json
import socket
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from payproof.errors import Reason
from tests.end_to_end import hostile
from tests.end_to_end.hostile import Behaviour, Peer, Received, answer

__all__ = ["DOCUMENTS", "SERVERS", "Ending", "strange_paths"]

_GZIP = (b"Content-Encoding: gzip",)
_HEAD = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Ending:
    """How a delivery must end: by a status, with exit code 0 or 1, or without an answer for one of some reasons."""

    behave: Behaviour
    said: Reason | int
    #: Where the machine is slow, or the other client reads more before it judges.
    otherwise: Reason | int | None = None


def sends(*parts: bytes) -> Behaviour:
    """Send some bytes and close."""
    return lambda peer, _: peer.send(*parts)


def repeats(begin: bytes, part: bytes, pause: float = 0) -> Behaviour:
    """Send a beginning, and then the same part again and again."""
    block = part if pause else part * max(1, _BLOCK // len(part))

    def behave(peer: Peer, _: Received) -> None:
        peer.send(begin)
        while not peer.wait(pause):
            peer.send(block)

    return behave


def resets(*parts: bytes) -> Behaviour:
    """Send some bytes and reset the connection, as a process that was killed does."""

    def behave(peer: Peer, _: Received) -> None:
        peer.send(*parts)
        peer._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def silent(*parts: bytes) -> Behaviour:
    """Send some bytes, and then nothing, on a connection that stays open."""

    def behave(peer: Peer, _: Received) -> None:
        peer.send(*parts)
        peer.wait()

    return behave


def _bomb(wbits: int) -> bytes:
    """Return 1 GB of zeros in 1 MB; its checksum is missing, but nobody must come to its end."""
    packer = zlib.compressobj(9, wbits=wbits)
    begun, again = (packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return begun + again * 999


def _raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


_TIME, _SIZE, _FORM, _GONE = Reason.TIMEOUT, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE, Reason.UNREACHABLE
_EMPTY_MEMBER = gzip.compress(b"")

#: By name, what a server does and how `payproof deliver` must end.
SERVERS: Mapping[str, Ending] = {
    # Packed answers.
    "gzip, 100,000 empty members": Ending(sends(answer(200, _EMPTY_MEMBER * 100_000, _GZIP)), _SIZE),
    "gzip, 90,000 members of one byte": Ending(sends(answer(200, gzip.compress(b"x") * 90_000, _GZIP)), _SIZE),
    "gzip, 1 GB in 1 MB": Ending(sends(answer(200, _bomb(31), _GZIP)), _SIZE),
    "gzip, 1,000 members of 1 MB": Ending(hostile.gzip_bomb_of_members, _SIZE),
    "gzip, rubbish behind it": Ending(sends(answer(200, gzip.compress(b"{}") + b"rubbish", _GZIP)), _FORM),
    "gzip, cut short": Ending(hostile.cut_gzip, _FORM),
    "gzip, none": Ending(hostile.corrupt_gzip, _FORM),
    "gzip, twice": Ending(sends(answer(200, gzip.compress(gzip.compress(b"{}")), _GZIP * 2)), _FORM),
    "deflate, 1 GB in 1 MB": Ending(sends(answer(200, _bomb(15), (b"Content-Encoding: deflate",))), _SIZE),
    "deflate without its head": Ending(sends(answer(200, _raw_deflate(b"{}"), (b"Content-Encoding: deflate",))), _FORM),
    "br, zstd, made-up encodings": Ending(
        sends(answer(200, b"\x1b", (b"Content-Encoding: br, x" + b"y" * 5000,))), _FORM
    ),
    # Heads.
    "headers without end": Ending(repeats(_HEAD, b"X-Header: value\r\n"), _FORM),
    "headers without end, slowly": Ending(repeats(_HEAD, b"X-Header: value\r\n", 0.05), _TIME),
    "one header without end": Ending(repeats(_HEAD + b"X: ", b"A"), _FORM),
    "status line without end": Ending(repeats(b"HTTP/1.1 200 ", b"A"), _FORM),
    "continued lines without end": Ending(repeats(_HEAD + b"X: y\r\n", b" z\r\n"), _FORM),
    "120 cookies of 8 KB": Ending(
        sends(answer(200, b"{}", (b"Set-Cookie: a=" + b"\\" * 8_000 + b'";',) * 120)), 200, _FORM
    ),
    "1xx without end": Ending(hostile.continue_spam, _TIME),
    "103 with headers, without end": Ending(
        repeats(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"), _TIME
    ),
    "101, and bytes without end": Ending(
        repeats(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", b"A"), 101, _FORM
    ),
    "control characters in a header": Ending(sends(answer(200, b"{}", (b"X: \0\x1b[31m",))), _FORM),
    "two lengths": Ending(sends(answer(200, b"{}", (b"Content-Length: 3",))), _FORM),
    "negative length": Ending(sends(_HEAD + b"Content-Length: -1\r\n\r\n{}"), _FORM),
    "length of 40 digits": Ending(sends(_HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}"), _FORM),
    "status 99999": Ending(sends(b"HTTP/1.1 99999 What\r\nContent-Length: 0\r\n\r\n"), _FORM),
    "HTTP/0.9": Ending(sends(b"<html>welcome</html>"), _FORM),
    "HTTP/2": Ending(sends(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04"), _FORM),
    # Bodies.
    "chunks without end": Ending(hostile.endless, _SIZE),
    "chunks of one byte without end": Ending(repeats(_CHUNKED, b"1\r\nA\r\n"), _SIZE, _TIME),
    "size of a chunk without end": Ending(repeats(_CHUNKED, b"0"), _TIME, _FORM),
    "extension of a chunk without end": Ending(repeats(_CHUNKED + b"1;", b"a"), _TIME, _FORM),
    "trailers without end": Ending(repeats(_CHUNKED + b"1\r\nA\r\n0\r\n", b"X-Trailer: value\r\n"), _FORM),
    "size of a chunk beyond 64 bits": Ending(sends(_CHUNKED + b"F" * 17 + b"\r\nA\r\n"), _FORM),
    "body without length and end": Ending(repeats(_HEAD + b"\r\n", b"A"), _SIZE),
    "body of 1 GB": Ending(hostile.gigabyte, _SIZE),
    "body, a byte every 50 ms": Ending(repeats(_HEAD + b"Content-Length: 100000\r\n\r\n", b"A", 0.05), _TIME),
    "text in no encoding": Ending(sends(answer(200, b"\xff\xfe\xed\xa0\x80\x00\x1b[2J" * 1000)), 200),
    "two answers at once": Ending(sends(answer(200) + answer(401)), _FORM, 200),
    # The way there.
    "silence": Ending(hostile.never, _TIME),
    "silence behind the head": Ending(silent(_HEAD + b"Content-Length: 10\r\n\r\n"), _TIME),
    "reset without an answer": Ending(resets(), _GONE),
    "reset in the head": Ending(resets(b"HTTP/1.1 200 O"), _GONE),
    "reset in the body": Ending(resets(_HEAD + b'Content-Length: 1000\r\n\r\n{"rec'), _FORM),
    "redirect to itself": Ending(hostile.redirect_loop, 307),
    "redirect of 8 KB to no URL": Ending(
        sends(answer(307, b"", (b"Location: http://[" + b"a" * 8_000,))), Reason.REDIRECT_ELSEWHERE
    ),
}


_OPENAPI = b'{"openapi": "3.1.0", "paths": {}, "x": ['


def _document(paths: Mapping[str, object]) -> bytes:
    return answer(200, json.dumps({"openapi": "3.1.0", "paths": paths}).encode())


def documents_of(pieces: bytes, end: bytes = b"") -> Behaviour:
    """Answer what asks for a document with 7.5 MB of something, and everything else with 404."""
    body = answer(200, _OPENAPI + pieces * (7_500_000 // len(pieces)) + end)
    return lambda peer, request: peer.send(body if request.method == "GET" else answer(404))


_ENDLESS = _document({f"/webhook/{number}": {"post": {}} for number in range(50_000)})
_STRANGE = (
    "@elsewhere.invalid/webhook",
    "//elsewhere.invalid/webhook",
    "webhook",
    "/web hook",
    "/webhook\r\nX: y",
    "/webhook" * 10_000,
)


def paths_without_end(peer: Peer, request: Received) -> None:
    """Describe 50,000 webhooks, none of which there is."""
    peer.send(_ENDLESS if request.method == "GET" else answer(404))


def strange_paths(peer: Peer, request: Received) -> None:
    """Describe webhooks at what is no path of this host, and a right one behind them."""
    if request.method == "GET":
        peer.send(_document({path: {"post": {}} for path in (*_STRANGE, "/right/webhook")}))
    else:
        peer.send(answer(400 if request.target == "/right/webhook" else 404))


#: By name, what a server does to whoever looks for a document; `payproof init` writes its file all the same.
DOCUMENTS: Mapping[str, Behaviour] = {
    "documents of a million objects": documents_of(b'{"a":{}},', b"0]}"),
    "documents of 7 million brackets": documents_of(b"["),
    "documents of one number": documents_of(b"9", b"]}"),
    "documents of escapes": documents_of(b'"\\u0041",', b"0]}"),
    "documents that are packed 100,000 times": SERVERS["gzip, 100,000 empty members"].behave,
    "documents with 50,000 webhooks": paths_without_end,
    "documents at strange paths": strange_paths,
}
