"""Takes the content encoding off an answer's body, within bounds of bytes, members and time.

Whoever answers chooses how the body is packed, so nothing here may cost more than in proportion to its length.
"""

import time
import zlib

from payproof.errors import InconclusiveError, Reason

__all__ = ["unpack_body"]

_PIECE = 64 * 1024  # bytes; time is looked at between two of them
# Those who write one member for each flush of an answer come to tens.
_MOST_MEMBERS = 1_000


def unpack_body(body: bytes, encoding: str, *, limit: int, until: float) -> bytes:
    """Return the body without its content encoding, at most ``limit`` bytes.

    ``until`` is a time of ``time.monotonic``.

    Raises:
        InconclusiveError: it is larger than that, unreadable, in an encoding that nobody asked for, in more than 1,000
            members of gzip (RFC 1952, 2.2), or not unpacked in time.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflate_body(body, "gzip", wbits=31, members=_MOST_MEMBERS, limit=limit, until=until)
        case "deflate":
            return _inflate_body(body, "deflate", wbits=15, members=1, limit=limit, until=until)
        case other:
            raise InconclusiveError(Reason.RESPONSE_UNREADABLE, f"content encoding {other[:20]!r}, unasked for")


def _inflate_body(body: bytes, name: str, *, wbits: int, members: int, limit: int, until: float) -> bytes:
    packed, at, plain = memoryview(body), 0, bytearray()
    for _ in range(members):
        decoder = zlib.decompressobj(wbits)
        while not decoder.eof:
            if time.monotonic() > until:
                raise InconclusiveError(Reason.TIMEOUT, f"the {name} body was not unpacked in time")
            if at == len(packed):
                raise InconclusiveError(Reason.RESPONSE_UNREADABLE, f"the {name} body is cut short")
            # In pieces: what is left of one behind the end of a member is copied.
            piece = packed[at : at + _PIECE]
            try:
                plain += decoder.decompress(piece, limit + 1 - len(plain))
            except zlib.error as error:
                raise InconclusiveError(Reason.RESPONSE_UNREADABLE, f"the {name} body is corrupt: {error}") from None
            if len(plain) > limit:
                detail = f"{len(body):,} bytes of {name} decompress to more than {limit:,}"
                raise InconclusiveError(Reason.RESPONSE_TOO_LARGE, detail)
            at += len(piece) - len(decoder.unused_data)
        if at == len(packed):
            return bytes(plain)
    if members == 1:
        raise InconclusiveError(Reason.RESPONSE_UNREADABLE, f"the {name} body has bytes behind its end")
    raise InconclusiveError(Reason.RESPONSE_TOO_LARGE, f"the {name} body has more than {members:,} members")
