"""What stands around a value: the key that names it, telling neighbours, and whether it is part of something longer."""

import re
from enum import Enum, auto

__all__ = ["Edge", "edge_after", "edge_before", "key_before", "words_of"]

_KEY_REACH = 64

# All of these read backwards, from the value to its key.
_OPENING = rb"""(?:[\s"'`\\(\[{<]|22%|72%|02%|B5%|;touq&|;43#&)*"""
_SIGN = rb"(?:>?[=:]+|>-|>|D3%|A3%)"
_CLOSING = rb"""(?:[\s"'`\\)]|22%|72%|;touq&|;43#&)*"""
_NAME = rb"[\w.\-\[\]%#$@]+"
_KEY = re.compile(
    _OPENING
    + rb"(?:=(?:%s)?(?P<assigned>%s)" % (_CLOSING, _NAME)
    + rb"|%s%s(?P<named>%s(?: %s){0,2})" % (_SIGN, _CLOSING, _NAME, _NAME)
    + rb"|/(?P<path>%s)" % _NAME
    + rb"|(?P<said>%s(?: %s){0,2}))" % (_NAME, _NAME)
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def key_before(data: bytes, place: int) -> str:
    """Return the name that stands before a value: of a JSON, form or configuration entry, a tag, or up to three words."""
    match = _KEY.match(data[max(0, place - _KEY_REACH) : place][::-1])
    if not match or match.lastgroup is None:
        return ""
    return match[match.lastgroup][::-1].decode("ascii", "replace")


def words_of(key: str) -> tuple[str, ...]:
    """Return the words of a name in any of the usual spellings (``cardNumber``, ``card_number``, ``CARD-NUMBER``)."""
    return tuple(word.lower() for word in _WORD.findall(key))


class Edge(Enum):
    """How a value is joined to what stands beside it."""

    FREE = auto()
    JOINED = auto()  # part of a longer token
    MASKED = auto()  # part of a value of which the rest is hidden


_ESCAPED = re.compile(rb"(?:\\[nrtfv0]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|=3D|=20|=22|\x1b\[[\d;]*m)\Z")
_MASKS = (b"*", b"xx", b"XX", b"\xe2\x80\xa2", b"\xe2\x97\x8f", b"\xc2\xb7", b"\xe2\x80\xa6")
_ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset(b"0123456789")
_FRACTION = re.compile(rb"\.0{1,6}(?![\d.])")
#: An expiry date after a number, the way card data is usually listed.
EXPIRY = re.compile(rb"[\s|,;:/=_-]{1,3}(?:0[1-9]|1[0-2])(?:\s?[/|-]\s?(?:20)?[2-4]\d|[,;\t]\s?20[2-4]\d|[2-4]\d(?=[|,;]))(?!\d)")


def edge_before(data: bytes, start: int) -> Edge:
    """Return how digits are joined to what precedes them."""
    if start == 0:
        return Edge.FREE
    last, before = data[start - 1], data[start - 2] if start > 1 else 0x20
    near = data[max(0, start - 12) : start]
    if near.endswith(_MASKS):
        return Edge.MASKED
    if last in _ALNUM:
        return Edge.FREE if _ESCAPED.search(near) else Edge.JOINED
    if last in b"_-":
        return Edge.JOINED if before in _ALNUM else Edge.FREE
    if last in b"./":
        return Edge.JOINED if before in _DIGITS else Edge.FREE
    if last in b"+":  # a telephone number, or a space of a URL
        return Edge.FREE if before in _ALNUM else Edge.JOINED
    return Edge.FREE


def edge_after(data: bytes, end: int) -> Edge:
    """Return how digits are joined to what follows them."""
    near = data[end : end + 12]
    if near.startswith(_MASKS):
        return Edge.MASKED
    if not near:
        return Edge.FREE
    after = near[1] if len(near) > 1 else 0x20
    if near[0] in _ALNUM:
        return Edge.JOINED
    if near[0] in b"_-" and after in _ALNUM or near[0] in b"./" and after in _DIGITS:
        return Edge.FREE if EXPIRY.match(near) or _FRACTION.match(near) else Edge.JOINED
    return Edge.FREE
