"""Requests that no client sends: HTTP/1.1 broken in one place, as bytes."""

from hypothesis import strategies as st

from payproof.fuzzing.canaries import FuzzingCanaries

__all__ = ["wires"]

_LONG = 70_000  # bytes; above what servers take for a line or a header


@st.composite
def wires(
    draw: st.DrawFn, method: str, path: str, host: str, fields: bytes, canaries: FuzzingCanaries
) -> tuple[str, bytes]:
    """Draw what is broken, in words, and the bytes; ``fields`` are header lines that every request is to have."""
    body = f'{{"note": "{canaries.text}"}}'.encode()
    name = draw(st.sampled_from(sorted(_forms(method, path, host, fields, body))))
    return name, _forms(method, path, host, fields, body)[name]


def _forms(method: str, path: str, host: str, fields: bytes, body: bytes) -> dict[str, bytes]:
    """Return every broken form; each ends so that a server does not wait for more, where that can be."""
    line = f"{method} {path} HTTP/1.1\r\n".encode()
    to = f"Host: {host}\r\n".encode() + fields + b"Connection: close\r\n"
    kind = b"Content-Type: application/json\r\n"
    sized = b"Content-Length: %d\r\n" % len(body)
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    chunked = line + to + kind + b"Transfer-Encoding: chunked\r\n"
    return {
        "chunked body": chunked + b"\r\n" + chunk + b"0\r\n\r\n",
        "chunks with extensions and a trailer": chunked
        + b"\r\n%x;a=b\r\n%s\r\n" % (len(body), body)
        + b"0\r\nX-Note: x\r\n\r\n",
        "chunk size that is no number": chunked + b"\r\nzz\r\n" + body + b"\r\n0\r\n\r\n",
        "negative chunk size": chunked + b"\r\n-5\r\n" + body + b"\r\n0\r\n\r\n",
        # No larger: a server for development makes up all bytes that it is promised, until the machine has no memory.
        "huge chunk size": chunked + b"\r\n" + b"3fffffff" + b"\r\n" + body + b"\r\n0\r\n\r\n",
        "chunk without its end": chunked + b"\r\n%x\r\n%s0\r\n\r\n" % (len(body), body),
        "length and chunks": chunked + sized + b"\r\n" + chunk + b"0\r\n\r\n",
        "two lengths": line + to + kind + sized + b"Content-Length: 0\r\n\r\n" + body,
        "negative length": line + to + kind + b"Content-Length: -1\r\n\r\n" + body,
        "length that is no number": line + to + kind + b"Content-Length: 1e3\r\n\r\n" + body,
        "length of 30 digits": line + to + kind + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + body,
        "unknown transfer encoding": line + to + kind + b"Transfer-Encoding: payproof\r\n\r\n" + body,
        "no host": line + fields + b"Connection: close\r\n\r\n",
        "two hosts": line + to + b"Host: 127.0.0.2\r\n\r\n",
        "host that is none": line + b"Host: [::\r\n" + fields + b"Connection: close\r\n\r\n",
        "target of another host": f"{method} http://127.0.0.2{path} HTTP/1.1\r\n".encode() + to + b"\r\n",
        "target without slash": f"{method} payproof HTTP/1.1\r\n".encode() + to + b"\r\n",
        "target with a raw byte": f"{method} {path}?note=".encode() + b"\xff\xfe HTTP/1.1\r\n" + to + b"\r\n",
        "target too long": f"{method} {path}?note={'a' * _LONG} HTTP/1.1\r\n".encode() + to + b"\r\n",
        "broken escapes": f"{method} {path}?note=%zz%2 HTTP/1.1\r\n".encode() + to + b"\r\n",
        "method that is none": b"PAY(PROOF) / HTTP/1.1\r\n" + to + b"\r\n",
        "version 9.9": f"{method} {path} HTTP/9.9\r\n".encode() + to + b"\r\n",
        "version 0.9": f"GET {path}\r\n\r\n".encode(),
        "request line of three spaces": b"   \r\n" + to + b"\r\n",
        "lines that end in LF": (line + to + b"\r\n").replace(b"\r\n", b"\n"),
        "folded header": line + to + b"X-Note: a\r\n b\r\n\r\n",
        "header without colon": line + to + b"X-Note\r\n\r\n",
        "header with space before colon": line + to + b"X-Note : a\r\n\r\n",
        "NUL in a header": line + to + b"X-Note: a\0b\r\n\r\n",
        "header too long": line + to + b"X-Note: " + b"a" * _LONG + b"\r\n\r\n",
        "500 headers": line + to + b"X-Note: a\r\n" * 500 + b"\r\n",
        "upgrade to nothing": line + to.replace(b"close", b"Upgrade") + b"Upgrade: payproof\r\n\r\n",
        "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    }
