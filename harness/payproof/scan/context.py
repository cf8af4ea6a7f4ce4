"""Reads what stands around a value: the key that names it, and whether it is part of something longer."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from payproof.scan import kernel
from payproof.scan.streams import Places
from payproof.scan.view import View

__all__ = [
    "ESCAPES",
    "EXPIRY",
    "Key",
    "in_token",
    "key_before",
    "name_before",
    "names_before",
    "surely_joined",
    "words_before",
    "words_of",
]

_KEY_REACH = 64

# All of these read backwards, from the value to its key.
_OPENING = rb"""(?:[\s"'`\\(\[{<]|22%|72%|02%|B5%|;touq&|;43#&)*"""
_CLOSING = rb"""(?:[\s"'`\\)]|22%|72%|;touq&|;43#&)*"""
_SIGN = rb"(?:>?[=:]+|>-|>|D3%|A3%)"
_NAME = rb"[\w.\-\[\]%#$@]+"
_KEY = re.compile(
    rb"%(opening)s(?:=%(closing)s(?P<assigned>%(name)s)"
    rb"|%(sign)s%(closing)s(?P<named>%(name)s(?: %(name)s){0,2})"
    rb"|/(?P<path>%(name)s)"
    rb"|(?P<said>%(name)s(?: %(name)s){0,2}))"
    % {b"opening": _OPENING, b"closing": _CLOSING, b"sign": _SIGN, b"name": _NAME}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+(?:[0-9]{1,2}[A-Za-z]+)?[0-9]*(?![A-Za-z0-9])")  # not hexadecimal digits
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z_.\-\[\]]{0,47}\d{0,2}\]?")


class Key(NamedTuple):
    """The name that stands before a value.

    ``text`` may be up to three words that happen to stand there, so it may be anything; ``shown`` is a name that a sign
    of assignment follows and that looks like one, else empty.
    """

    text: str = ""
    shown: str = ""


def name_before(data: bytes | bytearray, place: int) -> bytes:
    """Return the text of the key before a value."""
    match = _KEY.match(bytes(data[max(0, place - _KEY_REACH) : place])[::-1])
    return b"" if match is None or match.lastgroup is None else match[match.lastgroup][::-1]


def names_before(view: View, places: Places) -> Iterator[bytes]:
    """Return the text of the key before each of some values."""
    data, loops = view.data, kernel.loops()
    if loops is None:
        yield from (name_before(data, place) for place in places.tolist())
        return
    starts, ends = loops.names(view.bytes, places)
    for start, end, place in zip(starts.tolist(), ends.tolist(), places.tolist(), strict=True):
        yield bytes(data[start:end]) if start >= 0 else name_before(data, place)


def key_before(data: bytes | bytearray, place: int) -> Key:
    """Return the name that stands before a value: of an entry in JSON or a form, of a tag, or up to three words."""
    match = _KEY.match(bytes(data[max(0, place - _KEY_REACH) : place])[::-1])
    if match is None or match.lastgroup is None:
        return Key()
    text = match[match.lastgroup][::-1].decode("ascii", "replace")
    shown = text.rpartition(" ")[2] if match.lastgroup != "said" else ""
    return Key(text, shown if _IDENTIFIER.fullmatch(shown) else "")


def words_of(key: str) -> tuple[str, ...]:
    """Return the words of a name in any of the usual spellings (``cardNumber``, ``card_number``, ``CARD-NUMBER``)."""
    return tuple(word.lower() for token in _TOKEN.findall(key) for word in _WORD.findall(token))


_PREFIX = re.compile(rb"[A-Za-z0-9_-]{0,48}\Z")


def words_before(data: bytes, place: int) -> tuple[str, ...]:
    """Return the words of a name before the part of it that begins at a place: ``aws`` of ``awsAccountNumber``."""
    match = _PREFIX.search(data, max(0, place - _KEY_REACH), place)
    return words_of(match[0].decode("ascii", "replace")) if match else ()


#: Escapes, whose last characters are no part of the token behind them.
ESCAPES = re.compile(rb"\\[nrtfv0]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|=3D|=20|=22|\x1b\[[\d;]*m")
_ESCAPED = re.compile(rb"(?:%s)\Z" % ESCAPES.pattern)
_ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

#: An expiry date after a number, the way card data is usually listed.
EXPIRY = re.compile(
    rb"[\s|,;:/=_-]{1,3}(?:0[1-9]|1[0-2])(?:\s?[/|-]\s?(?:20)?[2-4]\d|[,;\t]\s?20[2-4]\d|[2-4]\d(?=[|,;]))(?!\d)"
)


def in_token(data: bytes | bytearray, start: int, end: int) -> bool:
    """Whether a letter or a digit that is no escape's stands before a value, or one behind its last letter or digit."""
    before = data[max(0, start - _NEAR) : start]
    behind = data[end - 1] in _ALNUM and data[end] in _ALNUM
    return behind or (before[-1:].isalnum() and not _ESCAPED.search(before))


_ALNUMS = np.zeros(256, np.bool_)
_ALNUMS[list(_ALNUM)] = True
_ESCAPES = np.zeros(256, np.bool_)
_ESCAPES[list(b"\\%=\x1b")] = True
_NEAR = 12  # bytes before a value in which an escape may begin


def surely_joined(view: View, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Return which values have a letter or a digit beside them that is certainly no escape's.

    Each of them is joined or masked, as ``edge_before`` and ``edge_after`` have it, but not each that is so is known.
    """
    data, loops = view.bytes, kernel.loops()
    if loops is not None:
        return loops.find_joined(data, starts, ends)
    joined: npt.NDArray[np.bool_] = _ALNUMS[data[ends]]
    before = np.flatnonzero(_ALNUMS[data[starts - 1]] & ~joined)
    joined[before] = ~_ESCAPES[view.rows(starts[before], _NEAR, -_NEAR)].any(axis=1)
    return joined
