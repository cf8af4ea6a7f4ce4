"""Recognises card data: numbers by their Luhn sum, and other data by the names of its fields."""

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["find_card_numbers", "holds_card_data"]

SHORTEST, LONGEST = 13, 19
# Digits in one piece or in groups, as cards are written: with blanks of any kind or dashes between.
RUN = re.compile(r"\d(?:[\s\u2010-\u2015-]?\d){12,}")
GROUP = re.compile(r"\d+")
# Most networks begin with 2 to 6, RuPay and UnionPay with 8 too, Troy and Napas with 9. UATP begins with 1, as do all
# times in milliseconds until 2033; but those have 13 digits.
UATP = (1, 15)
# Letters and digits of a field's name, in lower case, without a leading "card".
FIELDS = frozenset(
    {
        *("cav", "cav2", "cid", "csc", "cvc", "cvc2", "cvd", "cvn", "cvn2", "cvv", "cvv2"),
        *("securitycode", "verificationcode", "verificationvalue"),
        *("cardnumber", "cardno", "ccnumber", "creditcardnumber", "pan", "primaryaccountnumber"),
        *(
            "magneticstripe",
            "magstripe",
            "track",
            "track1",
            "track2",
            "track3",
            "trackdata",
            "track1data",
            "track2data",
        ),
        *("pin", "pinblock", "pincode"),
    }
)


def find_card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Give the start and the end of everything in a text that can be a card number (ISO/IEC 7812-1).

    Other digits may stand beside it, so each sequence of whole groups counts; these may overlap.
    """
    for run in RUN.finditer(text):
        groups = [group.span() for group in GROUP.finditer(run[0])]
        for index, (start, _) in enumerate(groups):
            digits = ""
            for first, end in groups[index : index + LONGEST]:
                digits += run[0][first:end]
                if len(digits) > LONGEST:
                    break
                if len(digits) >= SHORTEST and is_plausible([int(digit) for digit in digits]):
                    yield run.start() + start, run.start() + end


def is_plausible(digits: list[int]) -> bool:
    """Tell whether digits begin as those of a network do, and end with the check digit of the others."""
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])  # noqa: PLR2004 - from 5 on, two digits
    has_luhn_sum = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return has_luhn_sum and (digits[0] > 1 or (digits[0], len(digits)) == UATP)


def holds_card_data(document: Any) -> bool:
    """Tell whether a document of JSON holds a card number, or a field for what must not be kept (PCI DSS 3.3.1).

    What a field is called is enough: a security code is three digits, and nothing else about them tells.
    """
    # Not by recursion, because nesting is the sender's choice.
    left = [document]
    while left:
        match left.pop():
            case dict() as pairs:
                if any(is_for_card_data(name) for name in pairs):
                    return True
                left += [*pairs, *pairs.values()]
            case list() as items:
                left += items
            case value:
                if any(find_card_numbers(str(value))):
                    return True
    return False


def is_for_card_data(name: str) -> bool:
    """Tell whether a field of this name, however it is spelt, is for card data."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    return plain in FIELDS or plain.removeprefix("card") in FIELDS
