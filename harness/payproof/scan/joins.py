"""How a number is joined to what stands beside it without a space: to words, to other digits, to the rest of an id."""

import re
from enum import Enum, auto
from typing import NamedTuple

from payproof.scan.context import ESCAPES, EXPIRY

__all__ = ["Join", "Joint", "find_joint"]


class Join(Enum):
    """Ties of a number to what stands beside it in the same token, the closest first."""

    MASKED = auto()  # the rest of it is hidden
    INSIDE = auto()  # digits and letters in turns, a fraction, a telephone number, one of Stripe's ids
    DIGITS = auto()  # other digits behind a dash, an underscore or a slash
    WORDS = auto()  # letters and underscores
    FREE = auto()


class Joint(NamedTuple):
    """How a number is joined, and to which words: those before it and those behind it."""

    join: Join
    before: str = ""
    behind: str = ""


_MASKS = (b"*", b"xx", b"XX", b"\xe2\x80\xa2", b"\xe2\x97\x8f", b"\xc2\xb7", b"\xe2\x80\xa6")
_DIGITS = b"0123456789"
_NEAR = 48  # bytes of a token that are looked at
_LEFT = re.compile(rb"[A-Za-z0-9_-]*\Z")
_RIGHT = re.compile(rb"[A-Za-z0-9_-]*")
_BEFORE_FRACTION = tuple(b"%c" % sign for sign in b"-+*/(,[{:= \t")  # .5 is a half, and ...5 what hides the rest
_FRACTION = re.compile(rb"\.0{1,6}(?![\d.])")
_MIXED = re.compile(rb"([A-Za-z]+)[0-9]")
#: Words that digits may follow, or stand before, in a token that holds a card's data.
_OF_CARDS = frozenset(
    b"amex card cards cc ccn ccnum cvc cvv csc exp expiry mastercard maestro pan visa number num no".split()
)
_ID = re.compile(rb"[a-z]{2,6}_")  # as Stripe's ids begin, and most others
_NO_IDS = (b"pan_", b"cc_", b"ccn_", b"visa_", b"amex_", b"cards_", b"ccnum_", b"num_")


def find_joint(data: bytes | bytearray, start: int, end: int) -> Joint:
    """Return how digits from one place to another are joined to what is around them."""
    near, after = bytes(data[max(0, start - _NEAR) : start]), bytes(data[end : end + _NEAR])
    if near.endswith(_MASKS) or after.startswith(_MASKS):
        return Joint(Join.MASKED)
    left, right = _read_left(near), _read_right(after)
    if left is None or right is None:
        return Joint(Join.INSIDE)
    if not left.strip(b"_-") and not right.strip(b"_-"):
        return Joint(Join.FREE)
    if _is_mixed(left[::-1], backwards=True) or _is_mixed(right) or _is_id(left):
        return Joint(Join.INSIDE)
    both = left + right
    join = Join.DIGITS if any(one in _DIGITS for one in both) else Join.WORDS
    return Joint(join, left.decode(), right.decode())


def _read_left(near: bytes) -> bytes | None:
    """Return the token before a number; None for what makes it part of another number."""
    last, before = near[-1:], near[-2:-1]
    if last == b"+":
        return b"" if before.isalnum() else None  # in a URL a space; before a telephone number there is none
    if last in (b".", b"/") and before.isdigit():
        return before if last == b"/" else None
    if last == b"." and before in _BEFORE_FRACTION:
        return None
    token = _LEFT.search(ESCAPES.split(near)[-1])
    return token[0] if token else b""


def _read_right(after: bytes) -> bytes | None:
    """Return the token behind a number, an expiry date left out; None for what makes it part of another number."""
    if after[:1] in (b".", b"/", b"_", b"-"):
        if EXPIRY.match(after) or _FRACTION.match(after):
            return b""
        if after[:1] in (b".", b"/") and after[1:2].isdigit():
            return after[1:2] if after[:1] == b"/" else None
    token = _RIGHT.match(after)
    return token[0] if token else b""


def _is_mixed(token: bytes, *, backwards: bool = False) -> bool:
    """Whether letters that touch a number have digits behind them, as in hexadecimal digits, and say nothing of it."""
    mixed = _MIXED.match(token)
    if mixed is None:
        return False
    letters = mixed[1][::-1] if backwards else mixed[1]
    return letters.lower() not in _OF_CARDS


def _is_id(left: bytes) -> bool:
    return _ID.fullmatch(left) is not None and not left.endswith(_NO_IDS)
