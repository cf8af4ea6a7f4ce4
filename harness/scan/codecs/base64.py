"""base64 and base64url (RFC 4648), padded or not, on one line or many: where their text or digits would show through.

A byte of ASCII leaves certain bits of its characters zero, and a digit makes them one of few. So text in base64 is seen
without decoding all that looks like base64, which in a log is every id.
"""

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from harness.scan.characters import DIGIT, nibble, one, pair
from harness.scan.pieces import Decoded, Read, Unread, Where, moved, stretches, thinned, token, without
from harness.scan.streams import Bits, Places, plane
from harness.scan.view import View

__all__ = ["STREAMS", "decoded"]

_b0, _b1, _b2, _b3, _b4, _b5, _b6, _b7 = (plane(number) for number in range(8))
_none, _all = ~(_b2 | _b1 | _b0), _b2 & _b1 & _b0

# The first, second and third of four characters, where the three bytes are ASCII. Some other characters pass, too.
_ascii = (
    (_b6 & ~(_b5 & (_b4 | _b3)))
    & ((_b6 & ((~_b5 & (~_b3 | _none)) | (_b5 & (_b3 | _all)))) | (nibble(4, 3) & ~_b3)).ahead(1)
    & ((_b6 & (_b5 ^ _b1 ^ _b0)) | (nibble(4, 3) & ~_b1)).ahead(2)
)
# The four characters, where the bytes are digits: MNO; DTjz; AEIMQUYcgkosw048; w-z0-9. Some others pass, too.
_first = nibble(4, 4) & pair(2, 3)
_second = _b6 & ~_b7 & ~_b0 & (_b2 ^ _b5) & ~((_b3 ^ _b5) | (_b1 ^ _b5))
_third = (_b6 & _b0 & ~(_b5 ^ _b1)) | (nibble(4, 3) & pair(0, 0))
_fourth = DIGIT | (_b6 & _b5 & _b4)
_later, _earlier = _third & _fourth.ahead(1), _first & _second.ahead(1)
_end = ~(_b7 | _b6 | _b5 | _b4) | one("\\")  # a control character, or one that is written as an escape

STREAMS: Mapping[str, Bits] = {
    "base64 text": _ascii.every(4, 4),
    # Four digits that begin at the first, second or third byte of three.
    "base64 digits": _later
    & _first.ahead(2)
    & (_earlier.behind(2) | (_second.behind(1) & _second.ahead(3)) | (_second.ahead(3) & _later.ahead(4))),
    # The end of a line between two threes of ASCII bytes.
    "base64 line": _end & _ascii.behind(4) & (_ascii.ahead(1) | _ascii.ahead(2) | _ascii.ahead(4)),
    # Full-width digits (EF BC 9x): 77y?, ?[Oeu]+8 and vvJ? four times; digits of E0 xx xx: 4, C or g every four; of two
    # bytes from D8 to DB: 2 every eight; of F0 9D 9F xx: 8J2f every sixteen. UTF-16 with other separators: A every
    # eight.
    "base64 wide": one("7").every(4, 4)
    | one("8").every(4, 4)
    | one("v").every(4, 4)
    | one("4").every(4, 4)
    | one("C").every(4, 4)
    | one("g").every(4, 4)
    | one("2").every(8, 4)
    | (one("8") & one("J").ahead(1) & one("2").ahead(2) & one("f").ahead(3)).every(16, 3)
    | (one("A") & ~one("A").ahead(1)).every(8, 4),
    # H4sI of gzip, UEsD of zip, each without its first character; eA, eF, eJ, eN of zlib.
    "base64 archive": (one("4") | one("E")) & one("s").ahead(1) & (one("I") | one("D")).ahead(2),
    "base64 zlib": one("e") & (one("A") | one("F") | one("J") | one("N")).ahead(1),
}

Octets = npt.NDArray[np.uint8]

_MOST = 12 * 1024 * 1024  # characters of one encoded value
_SHORTEST = 16
_DECIMAL = 13  # characters in which six bytes are whole, wherever the first of four stands among them

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LAST_VALUE = 63
_VALUES = np.full(256, 255, np.uint8)
_VALUES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = np.arange(64)
_VALUES[list(b"-_")] = 62, 63
_READABLE = np.zeros(256, np.bool_)
_READABLE[[0, 9, 10, 13, *range(32, 127)]] = True

_BREAK = rb"(?:[\r\n]+|(?:\\+r)?\\+n|(?:%0[Dd])?%0[Aa]|(?:&#13;)?&#10;)"
_BREAKS = re.compile(_BREAK)
_RUN_BACK = re.compile(rb"[\w+/-]*(?:(?:\n\r?|n\\+(?:r\\+)?|[Aa]0%(?:[Dd]0%)?|;01#&(?:;31#&)?)[\w+/-]{32,})*", re.ASCII)
_RUN = re.compile(rb"[\w+/-]*(?:%s[\w+/-]{2,})*" % _BREAK, re.ASCII)
_LINES = re.compile(rb"[\w+/-]{32}%s[\w+/-]{4}" % _BREAK, re.ASCII)
_MAGIC = (b"H4sI", b"UEsD")
_ZLIB = re.compile(rb"(?<![\w+/-])(?:eJ[w-z]|eA[E-H]|eF[4-7]|eN[o-r])", re.ASCII)


def decoded(view: View, read: Read) -> Iterator[Decoded | Unread]:
    """Decode what is text, digits or compressed data in base64."""
    for left, right, seen in stretches(view, _texts(view), _RUN, _RUN_BACK):
        yield from _made(bytes(view.data[left:right]), left, [place - left for place in seen])
    for start in _compressed(view):
        raw = token(_RUN, view, start, read, _MOST)
        if len(raw) == _MOST:
            yield Unread(start, f"base64 of more than {_MOST // 2**20} MiB: only so much was read")
        yield from _made(raw, start, [0])


def _texts(view: View) -> list[int]:
    """Return places of the first of four characters that certainly are of text or digits."""
    found: set[int] = set()
    places = view.places("base64 text")
    if places.size:
        octets, valid = _octets(view, places, 16)
        found.update(thinned(places[valid & _READABLE[octets].all(axis=1)], 4))
    places = view.places("base64 digits")
    if places.size:
        octets, valid = _octets(view, places - 2, 8)
        digits = (octets >= ord("0")) & (octets <= ord("9"))
        four = (digits[:, :3] & digits[:, 1:4] & digits[:, 2:5] & digits[:, 3:]).any(axis=1)
        found.update(thinned(places[valid & four] + 2, 4))
    places = view.places("base64 wide")
    if places.size:
        # No six bytes of another script's digits are all decimal digits in base64 (of tests/scan/test_choices.py): what
        # is, is a long number as it stands.
        octets = view.rows(places, _DECIMAL)
        for place in thinned(places[~((octets >= ord("0")) & (octets <= ord("9"))).all(axis=1)]):
            found.update(range(place, place + 4))  # any of them may be the first of four
    found.update(place - 4 for place in view.places("base64 line").tolist() if _LINES.match(view.data, place - 32))
    return sorted(found)


def _octets(view: View, places: Places, width: int) -> tuple[Octets, npt.NDArray[np.bool_]]:
    """Return the bytes that so many characters from each place on stand for, and whether all are of the alphabet."""
    values = _VALUES[view.rows(places, width)]
    first, second, third, fourth = (values[:, index::4] for index in range(4))
    octets = np.empty((len(places), width // 4, 3), np.uint8)
    octets[..., 0] = first << 2 | second >> 4
    octets[..., 1] = second << 4 | third >> 2
    octets[..., 2] = third << 6 | fourth
    return octets.reshape(len(places), -1), np.logical_and.reduce(values <= _LAST_VALUE, axis=1)


def _compressed(view: View) -> Iterator[int]:
    for place in view.places("base64 archive").tolist():
        if view.data[place - 1 : place + 3] in _MAGIC:
            yield place - 1
    for place in view.places("base64 zlib").tolist():
        if _ZLIB.match(view.data, place):
            yield place


def _made(raw: bytes, start: int, seen: Iterable[int]) -> Iterator[Decoded]:
    """Decode characters; each place that was seen is the first of four."""
    text, where = without(_BREAKS, raw)
    text = text.translate(_URL_SAFE)
    breaks = [match.span() for match in _BREAKS.finditer(raw)]
    ends = [end for _, end in breaks]
    taken = [0, *accumulate(end - first for first, end in breaks)]  # characters of breaks, up to each
    for skipped in sorted({(place - taken[bisect_right(ends, place)]) % 4 for place in seen}):
        usable = len(text) - skipped
        usable -= usable % 4 == 1
        if usable >= _SHORTEST:
            data = binascii.a2b_base64(text[skipped : skipped + usable] + b"=" * (-usable % 4))
            name = "jwt" if raw.startswith(b"eyJ") else "base64"
            yield Decoded(start, start + len(raw), name, data, _where(moved(where, start), skipped))


def _where(character: Where, skipped: int) -> Where:
    return lambda place: character(skipped + place * 4 // 3)
