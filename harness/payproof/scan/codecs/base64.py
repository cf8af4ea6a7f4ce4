"""base64 and base64url (RFC 4648), padded or not, on one line or many: where their text or digits would show through.

A byte of ASCII leaves certain bits of its characters zero, and a digit makes them one of few. So text in base64 is seen
without decoding all that looks like base64, which in a log is every id.
"""

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from payproof.scan import kernel
from payproof.scan.characters import DIGIT, base64_values, nibble, one, pair
from payproof.scan.pieces import (
    DecodedPart,
    Read,
    Unread,
    Where,
    find_stretches,
    read_token,
    remove_matches,
    shift_places,
    thin_places,
)
from payproof.scan.streams import Bits, Places, plane
from payproof.scan.view import View

__all__ = ["STREAMS", "decode"]

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
Chosen = npt.NDArray[np.bool_]

_MOST = 12 * 1024 * 1024  # characters of one encoded value
_SHORTEST = 16
_DECIMAL = 13  # characters in which six bytes are whole, wherever the first of four stands among them
_BEFORE, _WINDOW = 3, 60  # characters before a place from which on so many are decoded, to see what they stand for
_AT_ONCE = 4096  # places that are looked at together

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LAST_VALUE = 63
_READABLE = np.zeros(256, np.bool_)
_READABLE[[0, 9, 10, 13, *range(32, 127)]] = True

_BREAKING = np.zeros(256, np.bool_)
_BREAKING[list(b"\r\n\\%&#;")] = True
#: The first bytes of other scripts' digits, and the constant ones of UTF-16, with how far they are apart.
_LEADS = ((2, b"\xd9\xdb\xdf"), (2, b"\0"), (2, b"\xff"), (3, b"\xe0\xe1\xea\xef"), (4, b"\xf0"))

_BREAK = rb"(?:[\r\n]+|(?:\\+r)?\\+n|(?:%0[Dd])?%0[Aa]|(?:&#13;)?&#10;)"
_BREAKS = re.compile(_BREAK)
_RUN_BACK = re.compile(rb"[\w+/-]*(?:(?:\n\r?|n\\+(?:r\\+)?|[Aa]0%(?:[Dd]0%)?|;01#&(?:;31#&)?)[\w+/-]{32,})*", re.ASCII)
_RUN = re.compile(rb"[\w+/-]*(?:%s[\w+/-]{2,})*" % _BREAK, re.ASCII)
_LINES = re.compile(rb"[\w+/-]{32}%s[\w+/-]{4}" % _BREAK, re.ASCII)
_MOST_HEADER = 512
_HEADER = re.compile(rb"eyJ[\w-]*\.\Z", re.ASCII)
_PAYLOAD = re.compile(rb"\.[\w-]+\.", re.ASCII)
_MAGIC = (b"H4sI", b"UEsD")
_ZLIB = re.compile(rb"(?<![\w+/-])(?:eJ[w-z]|eA[E-H]|eF[4-7]|eN[o-r])", re.ASCII)


def decode(view: View, read: Read) -> Iterator[DecodedPart | Unread]:
    """Decode what is text, digits or compressed data in base64."""
    for left, right, seen in find_stretches(view, _texts(view), _RUN, _RUN_BACK):
        name = "jwt" if _in_token(view, left, right) else "base64"
        yield from _decode_run(bytes(view.data[left:right]), left, [place - left for place in seen], name)
    for start in _find_archives(view):
        raw = read_token(_RUN, view, start, read, _MOST)
        if len(raw) == _MOST:
            yield Unread(start, f"base64 of more than {_MOST // 2**20} MiB: only so much was read")
        yield from _decode_run(raw, start, [0], "base64")


def _texts(view: View) -> list[int]:
    """Return places of the first of four characters that certainly are of text or digits."""
    found: set[int] = set()
    found.update(thin_places(_pick_places(view, "base64 text"), 4))
    found.update(thin_places(_pick_places(view, "base64 digits") + 2, 4))
    for place in thin_places(_pick_places(view, "base64 wide")):
        found.update(range(place, place + 4))  # any of them may be the first of four
    found.update(place - 4 for place in view.places("base64 line").tolist() if _LINES.match(view.data, place - 32))
    return sorted(found)


def _pick_places(view: View, name: str) -> Places:
    """Return those of the places of an expression where what it is meant to find is seen when a little is decoded."""
    places, loops = view.places(name), kernel.loops()
    if not places.size:
        return places
    if loops is not None:
        return loops.base64(view.bytes, places, list(_CHOICES).index(name))
    parts = (places[begin : begin + _AT_ONCE] for begin in range(0, len(places), _AT_ONCE))
    return np.concatenate([part[_CHOICES[name](view, part)] for part in parts])


def _is_text(view: View, places: Places) -> Chosen:
    octets, valid = _octets(view, places, 16)
    return valid & _READABLE[octets].all(axis=1)


def _is_digits(view: View, places: Places) -> Chosen:
    octets, valid = _octets(view, places - 2, 8)
    digits = (octets >= ord("0")) & (octets <= ord("9"))
    return valid & (digits[:, :3] & digits[:, 1:4] & digits[:, 2:5] & digits[:, 3:]).any(axis=1)


def _is_wide(view: View, places: Places) -> Chosen:
    """Whether the bytes around a place hold four digits of another script, or four characters of UTF-16.

    Where there may be a break of lines, that is left open. No six bytes of another script's digits are all decimal
    digits in base64 (of tests/scan/test_choices.py): what is, is a long number as it stands.
    """
    first, near = view.rows(places, _DECIMAL), view.rows(places, _WINDOW + 4, -_BEFORE)
    breaks = _BREAKING[near].any(axis=1)
    known = ((base64_values()[first] <= _LAST_VALUE) | _BREAKING[first]).all(axis=1)
    known &= ~((first >= ord("0")) & (first <= ord("9"))).all(axis=1)
    shown = breaks.copy()
    for skipped in range(4):
        octets, _ = _octets(view, places - _BEFORE + skipped, _WINDOW)
        shown |= _shows_wide(octets)
    chosen: Chosen = np.logical_and(known, shown)
    return chosen


def _shows_wide(octets: Octets) -> Chosen:
    shown = np.zeros(len(octets), np.bool_)
    for stride, leads in _LEADS:
        lead = np.isin(octets, np.frombuffer(leads, np.uint8))
        last = octets.shape[1] - 3 * stride
        four = lead[:, :last] & lead[:, stride:][:, :last]
        four &= lead[:, 2 * stride :][:, :last] & lead[:, 3 * stride :][:, :last]
        shown |= four.any(axis=1)
    return shown


def _is_zlib(view: View, places: Places) -> Chosen:
    return np.array([_ZLIB.match(view.data, place) is not None for place in places.tolist()], np.bool_)


_CHOICES: Mapping[str, Callable[[View, Places], Chosen]] = {
    "base64 text": _is_text,
    "base64 digits": _is_digits,
    "base64 wide": _is_wide,
    "base64 zlib": _is_zlib,
}


def _octets(view: View, places: Places, width: int) -> tuple[Octets, npt.NDArray[np.bool_]]:
    """Return the bytes that so many characters from each place on stand for, and whether all are of the alphabet."""
    values = base64_values()[view.rows(places, width)]
    first, second, third, fourth = (values[:, index::4] for index in range(4))
    octets = np.empty((len(places), width // 4, 3), np.uint8)
    octets[..., 0] = first << 2 | second >> 4
    octets[..., 1] = second << 4 | third >> 2
    octets[..., 2] = third << 6 | fourth
    return octets.reshape(len(places), -1), np.logical_and.reduce(values <= _LAST_VALUE, axis=1)


def _find_archives(view: View) -> Iterator[int]:
    for place in view.places("base64 archive").tolist():
        if view.data[place - 1 : place + 3] in _MAGIC:
            yield place - 1
    yield from _pick_places(view, "base64 zlib").tolist()


def _in_token(view: View, left: int, right: int) -> bool:
    """Whether characters are the header or the payload of a JSON Web Token: one of three parts with dots between."""
    data = view.data
    if data[right : right + 1] != b".":
        return False
    if data[left : left + 3] == b"eyJ" and _PAYLOAD.match(data, right):
        return True
    return data[left - 1 : left] == b"." and _HEADER.search(bytes(data[max(0, left - _MOST_HEADER) : left])) is not None


def _decode_run(raw: bytes, start: int, seen: Iterable[int], name: str) -> Iterator[DecodedPart]:
    """Decode characters, in an encoding of a name; each place that was seen is the first of four."""
    text, where = remove_matches(_BREAKS, raw)
    text = text.translate(_URL_SAFE)
    breaks = [match.span() for match in _BREAKS.finditer(raw)]
    ends = [end for _, end in breaks]
    taken = [0, *accumulate(end - first for first, end in breaks)]  # characters of breaks, up to each
    for skipped in sorted({(place - taken[bisect_right(ends, place)]) % 4 for place in seen}):
        usable = len(text) - skipped
        usable -= usable % 4 == 1
        if usable >= _SHORTEST:
            data = binascii.a2b_base64(text[skipped : skipped + usable] + b"=" * (-usable % 4))
            yield DecodedPart(start, start + len(raw), name, data, _map_places(shift_places(where, start), skipped))


def _map_places(character: Where, skipped: int) -> Where:
    return lambda place: character(skipped + place * 4 // 3)
