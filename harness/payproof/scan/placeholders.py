"""Tells secrets from what stands in their place, and from what anybody would guess; docs/scan.md says it to users."""

import re
from itertools import pairwise

__all__ = ["is_guessable", "is_hidden", "is_made_up", "masks", "names_a_password", "stands_in"]

_MASKED = re.compile(
    rb"\*{2}|x{5}|X{5}|\.{3}|\xe2\x80\xa6|\xe2\x80\xa2|redacted|hidden|masked|removed|example|change[-_ ]?me",
    re.IGNORECASE,
)
_MASKS = frozenset(b"xX*._-#?")
#: Fields that something else is filled in for: ``${NAME}``, ``{{ name }}``, ``<name>``, ``%(name)s``, ``%NAME%``.
_FIELD = re.compile(
    rb"[$#]\{|\{\{|\{[A-Za-z_][\w.]{2,}\}|<[^<>]*>|\$\([A-Za-z_]\w*\)|%\([A-Za-z_]\w*\)[a-z]|%[A-Z_][A-Z0-9_]+%"
    rb"|\A(?:\{.*\}|%[a-z]|\[.*\]|[$@:](?:[A-Z_][A-Z0-9_]*|[a-z_.]+|[a-z]+(?:[A-Z][a-z]+)+))\Z",
    re.DOTALL,
)

# Words that stand in for a secret: one of the first set apart by signs, or hardly anything but such words.
_STANDS_IN = frozenset(
    b"your insert replace placeholder changeme dummy fake sample mock goes here todo fixme secretkey mysecret".split()
)
_WORD = re.compile(
    rb"your|secret|key|goes|here|please|stripe|web|hook|signing|signature|endpoint|test(?:ing)?|live|token|client|payment|"
    rb"intent|setup|confirmation|placeholder|replace|insert|example|sample|dummy|fake|mock|real|with|value|some|the|this|put|"
    rb"add|enter|paste|change|public|private|password|passwd|pass|pwd|user|name|api|account|session|customer|database|redis|"
    rb"admin|abc|xyz|wrong|invalid|bogus",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    rb"(?:(?:your|my|the|some|a|an|db|database|user|secret|api|auth|access)[ _.-]?){0,3}"
    rb"(?:password|passwd|passphrase|pass|pwd|pw|secret|token|key)(?:[ _.-]?here)?",
    re.IGNORECASE,
)
_MOSTLY, _HALF = 0.6, 0.5
_LONGEST_PERIOD = 10
_ZEROS = 0.65
_FEWEST_KINDS = 6  # different characters
#: A password has 8 characters at least (NIST SP 800-63B-3, 5.1.1.2).
_SHORTEST = 8
_PLAIN = bytes.maketrans(b"@4013$5!7", b"aaoiessit")  # as people write words to have a digit or a sign in them


def masks(value: bytes) -> bool:
    """Whether a secret is hidden, a placeholder, or has too few different characters to be one."""
    return is_hidden(value) or len(set(value)) < _FEWEST_KINDS or stands_in(value)


def is_hidden(value: bytes) -> bool:
    """Whether a value is hidden or left out, or a field that something else is filled in for."""
    return _MASKED.search(value) is not None or _FIELD.search(value) is not None or _is_of_one(value)


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


def names_a_password(value: bytes) -> bool:
    """Whether a value is nothing but what a password is called: it says what to write there."""
    return _PASSWORD.fullmatch(value) is not None or not _STANDS_IN.isdisjoint(re.split(rb"[^a-z0-9]+", value.lower()))


def is_guessable(password: bytes, user: bytes) -> bool:
    """Whether anybody would try a password first, so that it keeps nobody out: it is no secret of whoever wrote it.

    It is the user's name, hardly anything but words such as ``test``, a count, or short and all letters or all digits.
    """
    plain = re.sub(rb"[^a-z0-9]+", b"", password.lower().translate(_PLAIN))
    return (
        password.lower() == user.lower()
        or stands_in(password)
        or names_a_password(plain)
        or (len(password) < _SHORTEST and (plain.isalpha() or password.isdigit()))
        or len(password) < _SHORTEST // 2
    )


def is_made_up(number: str) -> bool:
    """Whether a number is hardly anything but zeros, as people make one up; of a million cards one has so many."""
    return number.count("0") >= _ZEROS * len(number)


def _is_of_one(value: bytes) -> bool:
    """Whether a value is one character again and again, of those that hide."""
    return len(set(value)) == 1 and value[0] in _MASKS
