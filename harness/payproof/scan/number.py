"""A number that could be a card's, as it was found: its digits, its brand, and how they are written."""

from dataclasses import dataclass
from enum import Enum, auto

from payproof.scan.brands import Brand

__all__ = ["Number", "Writing"]


class Writing(Enum):
    """How the digits of a number are written; with what stands around them it says how surely it is a card's."""

    PLAIN = auto()  # without separators
    PRINTED = auto()  # in the groups and with the separators that cards are printed and typed with
    SPACED = auto()  # in such groups, apart as a table's columns are
    ODD = auto()  # in other groups
    FIELDS = auto()  # in neighbouring fields of a record
    WRAPPED = auto()  # over the end of a line
    PADDED = auto()  # behind zeros that fill a field
    RUN_ON = auto()  # other digits stand before or behind them without a separator


@dataclass(frozen=True, slots=True)
class Number:
    """Digits in a brand's range, from where to where they stand; ``luhn`` says whether the check digit is right."""

    start: int
    end: int
    digits: str
    brand: Brand
    luhn: bool
    writing: Writing
