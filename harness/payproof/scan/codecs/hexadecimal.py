"""Hexadecimal digits, two to a byte, in either case: where text, digits or compressed data would show through."""

import re
from collections.abc import Iterator, Mapping

from payproof.scan.characters import DIGIT, HEX, either, nibble, one
from payproof.scan.pieces import DecodedPart, Read, Unread, find_stretches, read_token, thin_places
from payproof.scan.streams import Bits, plane
from payproof.scan.view import View

__all__ = ["STREAMS", "decode"]

_b1, _b2, _b3 = plane(1), plane(2), plane(3)
_SHORTEST = 24  # twelve bytes
_long = HEX.run(_SHORTEST)
_digit = one("3") & DIGIT.ahead(1)

STREAMS: Mapping[str, Bits] = {
    # Twelve bytes from 20 to 7F; four digits, of one byte or two; other scripts' digits: the first of two, three or
    # four bytes (D9 A4, E0 A5 AA, EF BC 94, F0 9D 9F 92).
    "hex": (nibble(4, 3) & ~_b3 & (_b2 | _b1)).every(2, 12) & _long
    | _digit.every(2, 4)
    | (one("0") & one("0").ahead(1) & HEX.ahead(2) & ~one("0").ahead(2)).every(4, 4)
    | either("d").every(4, 4)
    | either("e").every(6, 4)
    | (either("f") & one("0").ahead(1)).every(8, 4),
    # 1F8B of gzip, 504B of zip, 78 of zlib, where a value begins.
    "hex archive": ~HEX.behind(1)
    & _long
    & ((one("1") & either("f").ahead(1)) | (one("5") & one("0").ahead(1)) | (one("7") & one("8").ahead(1))),
}

_MOST = 16 * 1024 * 1024
_RUN = re.compile(rb"[0-9A-Fa-f]*")
_MAGIC = re.compile(rb"1[fF]8[bB]08|504[bB]0304|78(?:01|5[eE]|9[cC]|[dD][aA])")


def decode(view: View, read: Read) -> Iterator[DecodedPart | Unread]:
    """Decode what is text, digits or compressed data in hexadecimal digits."""
    for left, right, seen in find_stretches(view, thin_places(view.places("hex"), 2), _RUN, _RUN):
        for skipped in sorted({(place - left) % 2 for place in seen}):
            if right - left - skipped >= _SHORTEST:
                yield _decode_digits(bytes(view.data[left + skipped : right]), left + skipped)
    for start in view.places("hex archive").tolist():
        if _MAGIC.match(view.data, start):
            raw = read_token(_RUN, view, start, read, _MOST)
            if len(raw) == _MOST:
                yield Unread(start, f"hexadecimal digits of more than {_MOST // 2**20} MiB: only so many were read")
            yield _decode_digits(raw, start)


def _decode_digits(raw: bytes, start: int) -> DecodedPart:
    whole = len(raw) // 2 * 2
    data = bytes.fromhex(raw[:whole].decode())
    return DecodedPart(start, start + whole, "hex", data, lambda place: start + 2 * place)
