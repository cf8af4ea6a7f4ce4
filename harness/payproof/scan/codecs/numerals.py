"""Decimal digits of other scripts, and full-width forms, in UTF-8: each is read as the digit that it stands for."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from payproof.scan.characters import byte, nibble
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
from payproof.scan.streams import Bits, Places
from payproof.scan.view import View

__all__ = ["STREAMS", "decode"]

# The first bytes of the scripts' digits.
_two = nibble(4, 13) & (nibble(0, 9) | nibble(0, 11) | nibble(0, 15))
_three = nibble(4, 14) & (nibble(0, 0) | nibble(0, 1) | nibble(0, 10) | nibble(0, 15))

STREAMS: Mapping[str, Bits] = {
    f"numerals of {size}": first.every(size, 4) for size, first in ((2, _two), (3, _three), (4, byte(0xF0)))
}

_NEAR = 96
_CODES = 0x20000
_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@cache
def _decimal() -> npt.NDArray[np.bool_]:
    return np.array([chr(code).isdecimal() for code in range(_CODES)])


def decode(view: View, _read: Read) -> Iterator[DecodedPart | Unread]:
    """Write the digits near four of them in ASCII, and other characters in their compatible form (NFKC)."""
    places = thin_places(merge_places(*(_four(view, size) for size in (2, 3, 4))))
    for found in cluster_places(view, places, _NEAR):
        left, right = view.within(found[0], found[0] - _NEAR, found[-1] + _NEAR)
        data, where = substitute(_CHARACTER, _plain, bytes(view.data[left:right]))
        yield DecodedPart(left, right, "numerals", data, shift_places(where, left))


def _plain(character: bytes) -> bytes:
    return unicodedata.normalize("NFKC", _in_ascii(character.decode("utf-8", "replace"))).encode()


def _in_ascii(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _four(view: View, size: int) -> Places:
    """Return where four digits stand, of so many bytes each."""
    places = view.places(f"numerals of {size}")
    if not places.size:
        return places
    octets = view.rows(places, 4 * size).reshape(-1, 4, size).astype(np.int64)
    code = octets[..., 0] & (0x7F >> size)
    for index in range(1, size):
        code = code << 6 | octets[..., index] & 0x3F
    known: Places = places[_decimal()[np.minimum(code, _CODES - 1)].all(axis=1)]
    return known
