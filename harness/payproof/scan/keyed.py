"""Finds values by the name before them: ``"cvc": "123"``, ``cvc=123``, ``<cvc>123</cvc>``, ``CVC 123``."""

import re
from itertools import pairwise

__all__ = ["EDGE", "END", "begins", "make_named_pattern", "masks", "secret", "stands_in"]

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
_MASKED = re.compile(
    rb"\*{2}|x{5}|X{5}|\.{3}|\xe2\x80\xa6|\xe2\x80\xa2|[<>{}$%]|redacted|hidden|masked|removed|example|changeme",
    re.IGNORECASE,
)
#: Where a value ends: not before more of it, nor before what hides the rest.
END = rb"(?![\w*]|%(?![0-9A-Fa-f]{2})|[.,-]\d|\s?[*x]{2})"

# Words that stand in for a secret: one of the first set apart by signs, or hardly anything but such words.
_STANDS_IN = frozenset(
    b"your insert replace placeholder changeme dummy fake sample mock goes here todo fixme secretkey mysecret".split()
)
_WORD = re.compile(
    rb"your|secret|key|goes|here|please|stripe|web|hook|signing|signature|endpoint|test|live|token|client|payment|intent|"
    rb"setup|confirmation|placeholder|replace|insert|example|sample|dummy|fake|mock|real|with|value|some|the|this|put|add|enter|paste|"
    rb"change|public|private|password|passwd|pass|pwd|user|name|api|account|session|customer|database|redis|admin|abc|xyz",
    re.IGNORECASE,
)
_MOSTLY, _HALF = 0.6, 0.5
_LONGEST_PERIOD = 10


_EDGE = re.compile(EDGE)


def begins(data: bytes, place: int) -> bool:
    """Whether a token may begin at a place."""
    return _EDGE.match(data, place) is not None


def make_named_pattern(names: bytes, value: bytes) -> re.Pattern[bytes]:
    """Return a pattern of a name, a sign of assignment (the group ``sign``) and the ``value``.

    The parts' patterns are of bytes, to be matched in either case.
    """
    return re.compile(b"(?P<key>%s)%s%s%s(?P<value>%s)" % (names, _CLOSING, _SIGN, _OPENING, value), re.IGNORECASE)


def masks(value: bytes) -> bool:
    """Whether a secret is hidden, a placeholder, or has too few different characters to be one."""
    return _MASKED.search(value) is not None or len(set(value)) < 6 or stands_in(value)  # noqa: PLR2004


def stands_in(value: bytes) -> bool:
    """Whether a value says that a secret is to be put in its place, or counts up, or repeats itself."""
    if not _STANDS_IN.isdisjoint(re.split(rb"[^a-z0-9]+", value.lower())):
        return True
    if sum(map(len, _WORD.findall(value))) >= _MOSTLY * len(re.sub(rb"[^A-Za-z0-9]", b"", value)):
        return True
    counting = sum(after - before == 1 for before, after in pairwise(value))
    return counting >= _HALF * len(value) or any(
        value == (value[:period] * len(value))[: len(value)]
        for period in range(1, min(_LONGEST_PERIOD, len(value) // 2) + 1)
    )


def secret(prefix: bytes, value: bytes) -> str:
    """Return what may be shown of a secret: how it begins, where that says nothing, and how long it is."""
    return f"{prefix.decode('ascii', 'replace')}… ({len(value)} characters)"
