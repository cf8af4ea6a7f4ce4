"""Card brands: how their numbers begin, how long they are and how they are grouped, and Stripe's test numbers."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from payproof.scan.luhn import is_valid

__all__ = [
    "BRANDS",
    "GROUPINGS",
    "LONGEST",
    "SHORTEST",
    "TEST_NUMBERS",
    "UNCHECKED",
    "Brand",
    "brand_among",
    "brand_of",
    "is_for_tests",
    "known_lengths",
    "known_starts",
]

SHORTEST, LONGEST = 12, 19
_IIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand's numbers: ``starts`` are inclusive ranges of leading digits, ``lengths`` the numbers of digits.

    ``luhn`` says whether the last digit is a Luhn check digit; ``weak`` lists the lengths at which the numbers look
    too much like others to be believed without a telling neighbour.
    """

    name: str
    starts: tuple[str, ...]
    lengths: tuple[int, ...]
    luhn: bool = True
    weak: tuple[int, ...] = ()


_ALL = tuple(range(SHORTEST, LONGEST + 1))

#: The narrower ranges come first: a number in two brands' ranges counts as the first one's.
BRANDS = (
    Brand(
        "Elo",
        (
            *("401178-401179", "438935", "457631-457632", "431274", "451416", "457393", "504175", "506699-506778"),
            *("509000-509999", "627780", "636297", "636368", "650031-650051", "650405-650439", "650485-650598"),
            *("650700-650727", "650901-650978", "651652-651679", "655000-655058"),
        ),
        (16,),
    ),
    Brand("Verve", ("506099-506198", "507865-507964", "650002-650027"), (16, 18, 19)),
    Brand("Hiper", ("637095", "637568", "637599", "637609", "637612"), (16,)),
    Brand("Hipercard", ("606282",), (16,)),
    Brand("Troy", ("9792",), (16,)),
    Brand("Mir", ("2200-2204",), (16, 17, 18, 19)),
    Brand("Mastercard", ("51-55", "2221-2720"), (16,)),
    Brand("Visa", ("4",), (13, 16, 18, 19), weak=(13,)),
    Brand("American Express", ("34", "37"), (15,)),
    Brand("Discover", ("6011", "644-649", "65"), (16, 19)),
    Brand("Diners Club", ("300-305", "3095", "36", "38-39"), (14, 16, 19)),
    Brand("JCB", ("3528-3589",), (16, 17, 18, 19)),
    Brand("JCB", ("2131", "1800"), (15,)),
    Brand("UnionPay", ("62", "810-817"), (14, 15, 16, 17, 18, 19), luhn=False),
    Brand("RuPay", ("60", "65", "81-82", "508", "353", "356"), (16,)),
    Brand("Maestro", ("493698", "500000-506698", "506779-508999", "56-59", "63", "67"), _ALL, weak=_ALL),
    Brand("UATP", ("1",), (15,), weak=(15,)),
)

#: The brands that do without a check digit, one bit each in the order above.
UNCHECKED = np.uint32(sum(1 << bit for bit, brand in enumerate(BRANDS) if not brand.luhn))

#: Sizes of the groups in which numbers are printed, other than as one.
GROUPINGS = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 4, 4, 3), (4, 6, 4), (4, 4, 4, 4, 3), (6, 13)})

#: https://docs.stripe.com/testing, and those that it listed in earlier years.
TEST_NUMBERS = frozenset(
    """
    4242424242424242 4000056655665556 5555555555554444 2223003122003222 5200828282828210 5105105105105100
    378282246310005 371449635398431 6011111111111117 6011000990139424 6011981111111113 3056930009020004
    36227206271667 6555900000604105 3566002020360505 6200000000000005 6200000000000047 6205500000000000004
    4000000000000002 4000000000009995 4000000000009987 4000000000009979 4000000000000069 4000000000000127
    4000000000000119 4000000000006975 4100000000000019 4000000000004954 4000000000009235 4000000000000259
    4000000000000341 4000002500003155 4000002760003184 4000008260003178 4000000000003220 4012888888881881
    4111111111111111 30569309025904 38520000023237 3530111333300000 4222222222222
    """.split()  # noqa: SIM905 (a list would take forty lines)
)

#: What the numbers of Stripe's tests begin with that stand for a country, a decline or a way of authentication.
_FOR_TESTS, _LENGTH = "400000", 16


def is_for_tests(digits: str) -> bool:
    """Whether Stripe publishes a number, or its range, for tests: it is nobody's."""
    return digits in TEST_NUMBERS or (len(digits) == _LENGTH and digits.startswith(_FOR_TESTS))


@cache
def known_starts() -> npt.NDArray[np.uint32]:
    """Return, for each number of six digits, the brands whose numbers may begin so, one bit each in the order above."""
    table = np.zeros(10**_IIN_DIGITS, np.uint32)
    for bit, brand in enumerate(BRANDS):
        for start in brand.starts:
            low, _, high = start.partition("-")
            table[int(low.ljust(_IIN_DIGITS, "0")) : int((high or low).ljust(_IIN_DIGITS, "9")) + 1] |= np.uint32(
                1 << bit
            )
    return table


@cache
def known_lengths() -> npt.NDArray[np.uint32]:
    """Return, for each number of digits up to 31, the brands whose numbers may be so long, one bit each."""
    table = np.zeros(32, np.uint32)
    for bit, brand in enumerate(BRANDS):
        for length in brand.lengths:
            table[length] |= np.uint32(1 << bit)
    return table


@lru_cache(maxsize=1024)
def brand_among(bits: int, *, luhn: bool) -> Brand | None:
    """Return the first of the brands that bits stand for; where the check digit is wrong, the first without."""
    return next((brand for bit, brand in enumerate(BRANDS) if bits >> bit & 1 and (luhn or not brand.luhn)), None)


def brand_of(digits: str) -> tuple[Brand, bool] | None:
    """Return a number's brand by its beginning and length, and whether its check digit is right.

    None where no brand's numbers look so, or where the check digit is wrong and no such brand does without.
    """
    if not SHORTEST <= len(digits) <= LONGEST:
        return None
    bits = int(known_starts()[int(digits[:_IIN_DIGITS])] & known_lengths()[len(digits)])
    luhn = bits != 0 and is_valid(digits)
    brand = brand_among(bits, luhn=luhn)
    return None if brand is None else (brand, luhn)
