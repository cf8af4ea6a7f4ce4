"""What is planted in made-up requests and then looked for: card numbers, and texts that name the request."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from payproof.domain.kind import OFFERED

__all__ = ["FuzzingCanaries", "card_number"]

_SERIAL = 8  # hexadecimal digits
_LENGTH = 16


def card_number(random: Random) -> str:
    """Return a made-up card number that Luhn's check takes, of a range in which Stripe has its test cards."""
    digits = "400000" + "".join(random.choice("0123456789") for _ in range(_LENGTH - 7))
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 (the sum of a two-digit number's digits)
    return digits + str(-total % 10)


@dataclass(frozen=True, slots=True)
class FuzzingCanaries:
    """The canaries of one step.

    ``text`` is what generators plant; it is replaced by one that names the request when that is sent, of the same
    length. ``number`` is a card number, ``holder`` a name on a card.
    """

    tag: str
    number: str
    holder: str

    @classmethod
    def of(cls, random: Random) -> "FuzzingCanaries":
        """Make the canaries of a step up."""
        tag = f"pp{random.getrandbits(40):010x}x"
        return cls(tag, card_number(random), f"CaraCanary{random.getrandbits(40):010x}")

    @property
    def text(self) -> str:
        """The text that stands for the one that names the request."""
        return self.make_text(0)

    def make_text(self, serial: int) -> str:
        """Return the text of the request with a number, counted from 1."""
        return f"{self.tag}{serial:0{_SERIAL}x}"

    def conceal(self, conceal: Callable[[str, str, bytes], None]) -> None:
        """Register what must appear nowhere, in the forms in which card numbers are written."""
        groups = [self.number[at : at + 4] for at in range(0, _LENGTH, 4)]
        for form in (self.number, " ".join(groups), "-".join(groups)):
            conceal("card number", f"{OFFERED} a made-up request", form.encode())
        conceal("name", f"{OFFERED} a made-up request", self.holder.encode())
