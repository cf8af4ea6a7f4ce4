"""Classes of characters as bit streams."""

from functools import cache

import numpy as np
import numpy.typing as npt

from payproof.scan.streams import Bits, plane

__all__ = [
    "DIGIT",
    "HEX",
    "HIGH",
    "NUL",
    "PUNCTUATION",
    "base64_values",
    "byte",
    "either",
    "nibble",
    "one",
    "pair",
    "word",
]

_b0, _b1, _b2, _b3, _b4, _b5, _b6, _b7 = (plane(number) for number in range(8))
#: Bytes that are not ASCII.
HIGH = _b7

# How common characters are in logs, the commonest first; what is not listed is rare.
_COMMON = 'e0123456789toairns_-.:/"\\ lcdupmfgbhyvw'
_ENOUGH = 4  # characters of a word that tell it from most others


def pair(low: int, value: int) -> Bits:
    """Return where bits ``low`` and ``low + 1`` have a value (0 to 3)."""
    zero, first = plane(low), plane(low + 1)
    return (~(zero | first), zero & ~first, first & ~zero, zero & first)[value]


def nibble(low: int, value: int) -> Bits:
    """Return where the four bits from ``low`` on (0 or 4) have a value (0 to 15)."""
    return pair(low, value & 3) & pair(low + 2, value >> 2)


def byte(value: int) -> Bits:
    """Return where a byte has a value."""
    return nibble(0, value & 15) & nibble(4, value >> 4)


def one(character: str) -> Bits:
    """Return where a character stands; of a letter, only the given case."""
    return byte(ord(character))


def either(letter: str) -> Bits:
    """Return where a letter stands, in either case."""
    half = _b4 if ord(letter) & 16 else ~_b4
    return nibble(0, ord(letter) & 15) & (pair(6, 1) & half)


def word(text: str, *, caseless: bool = False) -> Bits:
    """Return where a word may begin: where its rarest characters stand as they should."""

    def rank(index: int) -> int:
        found = _COMMON.find(text[index].lower())
        return found if found >= 0 else len(_COMMON)

    result: Bits | None = None
    for index in sorted(range(len(text)), key=rank, reverse=True)[:_ENOUGH]:
        here = (either if caseless and text[index].isalpha() else one)(text[index]).ahead(index)
        result = here if result is None else result & here
    assert result is not None
    return result


#: 0 to 9.
DIGIT = nibble(4, 3) & ~(_b3 & (_b1 | _b2))

#: 0 to 9, A to G, a to g, @ and `: hexadecimal digits, and four others that cost too much to tell apart here.
HEX = DIGIT | (pair(6, 1) & ~(_b4 | _b3))

#: The zero byte.
NUL = byte(0)

#: Control characters and ``space !"#$%&'()*+,-./``: among them what may stand between a card number's groups.
PUNCTUATION = pair(6, 0) & ~_b4


@cache
def base64_values() -> npt.NDArray[np.uint8]:
    """Return what each byte stands for in base64 or base64url (0 to 63), 255 for nothing."""
    values = np.full(256, 255, np.uint8)
    values[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = np.arange(64)
    values[list(b"-_")] = 62, 63
    return values
