r"""Characters written as escapes: ``%34`` (RFC 3986), ``&#52;`` (HTML), ``\u0034`` and its like (RFC 8259).

Decoded is what has several escapes close together, escapes between digits, and digits that an escape runs into.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache

from payproof.scan.characters import DIGIT, HEX, either, nibble, one, pair
from payproof.scan.pieces import (
    DecodedPart,
    Read,
    Unread,
    cluster_places,
    merge_places,
    shift_places,
    substitute,
    thin_places,
)
from payproof.scan.streams import Bits
from payproof.scan.view import View

__all__ = ["STREAMS", "decode"]

_NEXT = 20  # bytes after an escape within which the next one makes it one of many

_percent = one("%") & HEX.ahead(1) & HEX.ahead(2)
_slash = one("\\")
_code = _slash & (one("u") | one("x")).ahead(1)
_and = one("&")
_word = DIGIT | (pair(6, 1) & ~nibble(0, 0))  # and a few signs
_any = (
    _percent | _code | (_and & (one("#").ahead(1) | one("#").ahead(5) | one("#").ahead(9)))
)  # &#52; &amp;#52; &amp;amp;#52;

STREAMS: Mapping[str, Bits] = {
    "escapes": _any & _any.ahead(1).within(_NEXT),
    "escape after digits": DIGIT.run(4).behind(4)
    & (_percent | (_slash & ~one('"').ahead(1)) | (_and & one(";").ahead(3).within(6))),
    # %204242, \\u00204242, %A04242, \\u00a04242: of the last, the digits begin with the escape's own.
    "digits after escape": DIGIT.run(13)
    & ~DIGIT.behind(1)
    & (one("%").behind(1) | one("%").behind(2) | _code.behind(2) | _code.behind(5)),
    # + and / of base64, where forms (%2B, %2F) and PHP's JSON (\/) do not let them stand.
    "escape in base64": _word.run(4).behind(4)
    & (
        (one("%") & one("2").ahead(1) & (either("b") | either("f")).ahead(2) & _word.run(3).ahead(3))
        | (_slash & one("/").ahead(1) & _word.run(4).ahead(2))
    ),
}

_NEAR = 192
_IN_A_ROW = 4
_TOKEN = re.compile(rb"[\w%&#;\\]*", re.ASCII)


def _backslash(match: bytes) -> bytes:
    if match[1:2] == b"x":
        return bytes.fromhex(match[2:].decode())
    if match[1:2] == b"u":
        units = bytes.fromhex(match.replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", "replace").encode()
    return match[1:].translate(bytes.maketrans(b"bfnrt", b"\b\f\n\r\t"))


_CODECS: tuple[tuple[str, bytes, re.Pattern[bytes], Callable[[bytes], bytes]], ...] = (
    ("url", b"%", re.compile(rb"%[0-9A-Fa-f]{2}"), lambda match: bytes.fromhex(match[1:].decode())),
    (
        "html",
        b"&",
        re.compile(rb"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"),
        lambda match: html.unescape(match.decode()).encode("utf-8", "replace"),
    ),
    (
        "json",
        b"\\",
        re.compile(
            rb"""\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\["'\\/bfnrt]"""
        ),
        _backslash,
    ),
)


@cache
def _cache_values(value: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lru_cache(maxsize=1024)(value)


def decode(view: View, _read: Read) -> Iterator[DecodedPart | Unread]:
    """Decode the neighbourhood of escapes, once for each kind of escape in it."""
    for found in cluster_places(view, _find_places(view), _NEAR):
        left, right = view.within(found[0], found[0] - _NEAR, found[-1] + _NEAR)
        text = bytes(view.data[left:right])
        for name, sign, pattern, value in _CODECS:
            if sign in text and pattern.search(text):
                data, where = substitute(pattern, _cache_values(value), text)
                yield DecodedPart(left, right, name, data, shift_places(where, left))


def _find_places(view: View) -> list[int]:
    """Return where there is an escape among digits, or one of four that are close together."""
    places = view.places("escapes")
    if len(places) > _IN_A_ROW - 2:
        # Each has another within reach, which is not among them where it is the last.
        places = places[: 2 - _IN_A_ROW][places[_IN_A_ROW - 2 :] - places[: 2 - _IN_A_ROW] <= (_IN_A_ROW - 2) * _NEXT]
    else:
        places = places[:0]
    others = ("escape after digits", "digits after escape", "escape in base64")
    return thin_places(merge_places(places, *(view.places(name) for name in others)))
