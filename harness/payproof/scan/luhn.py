"""The check digit of ISO/IEC 7812-1 (Luhn), for one number and for many at once."""

import numpy as np
import numpy.typing as npt

__all__ = ["check_digit", "is_valid", "word_sums"]

_DOUBLED = str.maketrans("0123456789", "0246813579")
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_EVEN = np.uint64(0x000F000F000F000F)
_ODD = np.uint64(0x0F000F000F000F00)
_FIVE_OR_MORE = np.uint64(0x000B000B000B000B)  # 5 + 11 = 16, so that bit 4 tells
_BIT_4 = np.uint64(0x0010001000100010)
_ONES = np.uint64(0x0101010101010101)
_ONE, _FOUR, _TOP_BYTE, _NINE = np.uint64(1), np.uint64(4), np.uint64(56), np.uint64(9)


def is_valid(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return (sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10 == 0


def check_digit(digits: str) -> str:
    """Return the digit that makes the number valid when it is put at its end."""
    return str(-(sum(map(int, digits[-2::-2])) + sum(map(int, digits[-1::-2].translate(_DOUBLED)))) % 10)


def word_sums(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the Luhn sum of each word of eight ASCII digits, or zero bytes for digits that are not there.

    The first digit stands in the lowest byte, and the last byte's place from the right is odd, so that the bytes at
    even places are the ones to double: 2 d, less 9 where d is 5 or more.
    """
    even = words & _EVEN
    fives = ((even + _FIVE_OR_MORE) & _BIT_4) >> _FOUR
    total = (words & _ODD) + (even << _ONE) - fives * _NINE
    # Each byte is at most 9, so the eight add up in the top byte without a carry.
    sums: npt.NDArray[np.uint64] = (total * _ONES) >> _TOP_BYTE
    return sums
