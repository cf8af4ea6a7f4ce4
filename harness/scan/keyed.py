"""Values that are told by the name before them: ``"cvc": "123"``, ``cvc=123``, ``<cvc>123</cvc>``, ``CVC 123``."""

import re

__all__ = ["EDGE", "begins", "masks", "named", "secret"]

#: Where a token may begin: not within a longer one, unless that is the end of an escape.
EDGE = (
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtfv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<==3D))"
)

_CLOSING = rb"""(?:["'`\\\])]|%5D|%22|&quot;|&\#34;)*"""
_OPENING = rb"""(?:["'`\\\[(]|%22|&quot;|&\#34;|<!\[CDATA\[)*"""
_SIGN = rb"(?P<sign>\s*(?:=>|[:=|>]|%3[AaDd])\s*|\r?\n\r?\n|\s)"
_MASKED = re.compile(
    rb"\*{2}|x{5}|X{5}|\.{3}|\xe2\x80\xa6|\xe2\x80\xa2|[<>{}$%]|redacted|hidden|masked|removed|example|changeme",
    re.IGNORECASE,
)


_EDGE = re.compile(EDGE)


def begins(data: bytes, place: int) -> bool:
    """Whether a token may begin at a place."""
    return _EDGE.match(data, place) is not None


def named(names: bytes, value: bytes) -> re.Pattern[bytes]:
    """Return a pattern of a name, a sign of assignment (the group ``sign``) and the ``value``.

    The parts' patterns are of bytes, to be matched in either case.
    """
    return re.compile(b"(?P<key>%s)%s%s%s(?P<value>%s)" % (names, _CLOSING, _SIGN, _OPENING, value), re.IGNORECASE)


def masks(value: bytes) -> bool:
    """Whether a secret is hidden, a placeholder, or has too few different characters to be one."""
    return _MASKED.search(value) is not None or len(set(value)) < 6  # noqa: PLR2004


def secret(prefix: bytes, value: bytes) -> str:
    """Return what may be shown of a secret: how it begins, where that says nothing, and how long it is."""
    return f"{prefix.decode('ascii', 'replace')}… ({len(value)} characters)"
