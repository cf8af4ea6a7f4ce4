"""gzip (RFC 1952), zlib (RFC 1950) and the entries of zip files, read up to a size and a ratio."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress

from payproof.scan.characters import byte, one, word
from payproof.scan.pieces import DecodedPart, Read, Unread
from payproof.scan.streams import Bits
from payproof.scan.view import View

__all__ = ["STREAMS", "decode", "find_deeper"]

STREAMS: Mapping[str, Bits] = {
    "archive": (byte(0x1F) & byte(0x8B).ahead(1) & byte(8).ahead(2))
    | word("PK\x03\x04")
    | (one("x") & (byte(0x01) | byte(0x5E) | byte(0x9C) | byte(0xDA)).ahead(1)),
}

_GZIP = re.compile(rb"\x1f\x8b\x08[\0-\x1f].{4}[\0\2\4][\0-\x0d\xff]", re.DOTALL)  # no reserved flag; known systems

_MOST_READ = 8 * 1024 * 1024
_MOST_MADE = 8 * 1024 * 1024
_MOST_RATIO = 200  # deflate reaches 1,032; text stays under 50
_SMALL = 1024 * 1024  # of less the ratio does not matter
_CHUNK = 16 * 1024
_CERTAIN = 256  # bytes that a false start does not decompress to
_DEFLATED = 8
_PIXELS = b"IDAT"  # begins a part of a PNG's pixels, which are no characters, and go on in its next part
_SIP = 32
_FEWEST = 18  # bytes of which a card number can be made: gzip's header has 10
_AS_IT_IS = 0.98  # share of what blocks without compression say in their bytes; their lengths are the rest
#: APPNOTE 4.3.7: version, flags, method, lengths of name and extra field.
_ZIP_HEADER = struct.Struct("<4xHHH16xHH")
_LATEST = 63  # the version of the format that needs most, 6.3
_RESERVED = 0xD780  # flags that mean nothing (4.4.4)
_METHODS = frozenset((*range(11), 12, 14, 16, 18, 19, 20, *range(93, 100)))  # 4.4.5
_MOST_NAME = 4096


class _Input:
    """Compressed data from a place on, read as far as it is asked for."""

    def __init__(self, read: Read, start: int) -> None:
        self._read, self._start, self.taken = read, start, 0

    def take(self, count: int) -> bytes:
        """Return the next bytes; fewer where they or the bound end."""
        count = min(count, _MOST_READ - self.taken)
        part = self._read(self._start + self.taken, count) if count else b""
        self.taken += len(part)
        return part


def decode(view: View, read: Read) -> Iterator[DecodedPart | Unread]:
    """Decompress what begins as compressed data does."""
    for start in view.places("archive").tolist():
        data, sign = _Input(read, start), view.data[start : start + 1]
        if sign == b"\x1f":
            if not _GZIP.match(view.data, start):
                continue
            yield from _inflate(start, "gzip", data, zlib.MAX_WBITS | 16, sure=True)
        elif sign == b"x":
            is_image = view.data[max(0, start - len(_PIXELS)) : start] == _PIXELS
            yield from _inflate(start, "deflate", data, zlib.MAX_WBITS, sure=False, is_image=is_image)
        else:
            yield from _inflate_entry(start, data)


def find_deeper(view: View) -> Iterator[Unread]:
    """Tell what begins as compressed data does, where nothing more is decoded."""
    for start in view.places("archive").tolist():
        if _GZIP.match(view.data, start) or _is_zip_header(bytes(view.data[start : start + _ZIP_HEADER.size])):
            yield Unread(start, "compressed data within too many encodings: not read")


def _is_zip_header(header: bytes) -> bool:
    """Whether a local header can be one; where it cannot, a program or a text names the sign of entries."""
    if header[:4] != b"PK\x03\x04" or len(header) < _ZIP_HEADER.size:
        return False
    version, flags, method, name, _ = _ZIP_HEADER.unpack(header)
    known = version & 0xFF <= _LATEST and not flags & _RESERVED and method in _METHODS
    return known and 0 < name <= _MOST_NAME


def _inflate_entry(start: int, data: _Input) -> Iterator[DecodedPart | Unread]:
    """Decompress an entry of a zip file from its local header (APPNOTE 4.3.7)."""
    header = data.take(_ZIP_HEADER.size)
    if not _is_zip_header(header):
        return
    _, flags, method, name, extra = _ZIP_HEADER.unpack(header)
    if b"\0" in data.take(name):
        return
    data.take(extra)
    if flags & 1:
        yield Unread(start, "zip entry is encrypted", ("zip",))
    elif method == _DEFLATED:
        yield from _inflate(start, "zip", data, -zlib.MAX_WBITS, sure=True)
    elif method:
        yield Unread(start, f"zip entry is compressed by method {method}", ("zip",))


def _inflate(
    start: int, name: str, data: _Input, bits: int, *, sure: bool, is_image: bool = False
) -> Iterator[DecodedPart | Unread]:
    """Decompress until the data, the bound or the ratio ends; what was made before an error is searched, too."""
    inflater = zlib.decompressobj(bits)
    made: list[bytes] = []
    size, why, is_cut, begun, used = 0, "", False, data.taken, 0
    while not inflater.eof and not why:
        fed = inflater.unconsumed_tail or data.take(_CHUNK)
        try:
            made.append(inflater.decompress(fed, _CHUNK))
        except zlib.error:
            used = data.taken - begun - len(fed)
            if not size and sure:
                made.append(_inflate_slowly(bits, fed))
                size = len(made[-1])
            why = f"{name} data is corrupt after {size} bytes"
            break
        size += len(made[-1])
        if size >= _MOST_MADE:
            why = f"{name} data is longer than {_MOST_MADE // 2**20} MiB: the rest was not read"
        elif size > _SMALL and size > _MOST_RATIO * data.taken:
            why = f"{name} data expands more than {_MOST_RATIO} times: the rest was not read"
        elif not fed and not made[-1]:
            why, is_cut = f"{name} data is cut after {size} bytes", data.taken < _MOST_READ
    if why and _is_none(name, size, data.taken - begun, is_cut=is_cut, sure=sure):
        return
    if size:
        yield DecodedPart(start, start + data.taken - len(inflater.unused_data), name, b"".join(made))
    # Of what begins with two bytes only, and ends early or is not compressed, there is no more that it could be.
    if why and not is_image and (sure or not (is_cut or _AS_IT_IS * used < size <= used)):
        yield Unread(start, why, (name,))


def _is_none(name: str, size: int, taken: int, *, is_cut: bool, sure: bool) -> bool:
    """Whether what begins as compressed data does is none: by chance, or a program or a text names the sign."""
    if size == 0 and (taken < _FEWEST if is_cut else name == "gzip"):
        return True
    return size < _CERTAIN and not sure


def _inflate_slowly(bits: int, fed: bytes) -> bytes:
    """Return what compressed data says before it is corrupt: a call that fails returns nothing of it."""
    inflater = zlib.decompressobj(bits)
    made = bytearray()
    with suppress(zlib.error):
        for at in range(0, len(fed), _SIP):
            made += inflater.decompress(fed[at : at + _SIP], _CHUNK)
            if len(made) > _CHUNK:
                break
    return bytes(made)
