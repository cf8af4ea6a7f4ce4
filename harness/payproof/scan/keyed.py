"""Finds values by the name before them: ``"cvc": "123"``, ``cvc=123``, ``<cvc>123</cvc>``, ``CVC 123``."""

import re

__all__ = ["EDGE", "END", "begins", "is_numbered", "make_named_pattern", "secret"]

#: Where a token may begin: not within a longer one, unless that is the end of an escape.
EDGE = (
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtfv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<==3D))"
)

_QUOTE = rb"""["'`\\]*"""
_CLOSING = rb"""(?:["'`\\\])]|%5D|%(?:25)*22|&quot;|&\#34;)*"""
_OPENING = rb"""(?:["'`\\\[(]|%(?:25)*22|&quot;|&\#34;|<!\[CDATA\[)*"""
_ASSIGNED = rb"\s*(?:=>|[:=|>]|%(?:25)*3[AaDd]|\\+u003[AaDd])\s*"
_VALUE = rb"(?:value|val|raw|plain|text|data|content)"
_ATTRIBUTES = rb"(?:\s+[\w:-]{1,40}=\\*[\"'][^\"'<>\\]{0,40}\\*[\"'])"
_SIGN = rb"(?P<sign>%s|\r?\n\r?\n|\s)" % b"|".join(
    (
        rb"%s%s(?:\{|\n)\s*%s%s%s%s"
        % (_ASSIGNED, _QUOTE, _QUOTE, _VALUE, _QUOTE, _ASSIGNED),  # "cvc": {"value": "123"}
        rb"\s*,\s*%s%s%s%s" % (_QUOTE, _VALUE, _QUOTE, _ASSIGNED),  # {"name": "cvc", "value": "123"}
        rb"%s{0,4}\s+value\s*=\s*" % _ATTRIBUTES,  # <input name="cvc" value="123">
        rb"%s{1,4}\s*>" % _ATTRIBUTES,  # <cvc type="x">123</cvc>
        _ASSIGNED,
    )
)
#: Where a value ends: not before more of it, nor before what hides the rest.
END = rb"(?![\w*]|%(?![0-9A-Fa-f]{2})|[.,-]\d|\s?[*x]{2})"

_EDGE = re.compile(EDGE)


def begins(data: bytes, place: int) -> bool:
    """Whether a token may begin at a place."""
    return _EDGE.match(data, place) is not None


def make_named_pattern(names: bytes, value: bytes) -> re.Pattern[bytes]:
    """Return a pattern of a name, a sign of assignment (the group ``sign``) and the ``value``.

    The parts' patterns are of bytes, to be matched in either case.
    """
    return re.compile(b"(?P<key>%s)%s%s%s(?P<value>%s)" % (names, _CLOSING, _SIGN, _OPENING, value), re.IGNORECASE)


_NEAR = 128  # bytes in which two lines of constants are
_ASSIGNED_NUMBER = re.compile(rb"[=:]\s*\(?(\d{1,9})(?!\d)")


def is_numbered(data: bytes, match: re.Match[bytes]) -> bool:
    """Whether a value and two of the lines beside its own count on, as the constants of a program do."""
    value = int(match["value"])
    start, end = match.span()
    before = [_read_number(line) for line in reversed(data[max(0, start - _NEAR) : start].split(b"\n")[:-1])]
    after = [_read_number(line) for line in data[end : end + _NEAR].split(b"\n")[1:]]
    fewer = [number == value - away for away, number in enumerate(before[:2], 1)]
    more = [number == value + away for away, number in enumerate(after[:2], 1)]
    return fewer == [True, True] or more == [True, True] or (fewer[:1] == more[:1] == [True])


def _read_number(line: bytes) -> int | None:
    """Return the first number that a line assigns to something."""
    match = _ASSIGNED_NUMBER.search(line)
    return None if match is None else int(match[1])


def secret(prefix: bytes, value: bytes) -> str:
    """Return what may be shown of a secret: how it begins, where that says nothing, and how long it is."""
    return f"{prefix.decode('ascii', 'replace')}… ({len(value)} characters)"
