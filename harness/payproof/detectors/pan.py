from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from payproof.domain.detector import MADE_UP, PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.brands import is_for_tests
from payproof.scan.cards import find_likely, mask_digits, rate_card_number
from payproof.scan.detector import PreparedDetector
from payproof.scan.digits import MARGIN, find_numbers, prepare_view
from payproof.scan.luhn import check_digit
from payproof.scan.placeholders import is_made_up
from payproof.scan.view import View

__all__ = ["Pan"]

_VISA = "400005" + "1234567" + "89"
_VISA += check_digit(_VISA)
_AMEX = "3700" + "1234567" + "890"
_AMEX += check_digit(_AMEX)
_TEST = "4242" * 4


def _name_sort(digits: str) -> str:
    if is_for_tests(digits):
        return f"{PUBLISHED_TEST} "
    return f"{MADE_UP} " if is_made_up(digits) else ""


@detector
class Pan(PreparedDetector):
    """A card number (PAN): by brand, length, check digit, grouping and what stands around it (PCI DSS 3.4.1, 3.5.1)."""

    name: ClassVar[str] = "pan"
    positive: ClassVar[tuple[bytes, ...]] = (
        f'{{"number":"{_VISA}"}}'.encode(),
        f"card {_AMEX[:4]} {_AMEX[4:10]} {_AMEX[10:]} exp 12/29".encode(),
        f"{_VISA[:4]}-{_VISA[4:8]}-{_VISA[8:12]}-{_VISA[12:]}".encode(),
        f"paid with {_TEST}.".encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        f'{{"order_id":{_VISA}}}'.encode(),
        f"card_{_TEST}".encode(),
        f"card {_VISA[:6]}******{_VISA[-4:]}".encode(),
        f"card {_VISA[:-1]}{(int(_VISA[-1]) + 1) % 10}".encode(),
        b'{"created":1767225600000,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}',
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each card number, those that are more likely something else excepted."""
        for hit in self.search(prepare_view(data)):
            if hit.confidence is not Confidence.LOW:
                yield replace(hit, start=hit.start - MARGIN, end=hit.end - MARGIN)

    def search(self, view: View) -> Iterator[Hit]:
        """Return each card number in a prepared text."""
        least = view.at_least
        chosen = find_likely if least.rank > Confidence.LOW.rank else None
        for number in find_numbers(view, chosen):
            confidence, key = rate_card_number(view.data, number, view.column(number.start), least)
            if confidence is not None:
                what = f"{number.brand.name} {_name_sort(number.digits)}card number"
                yield Hit(
                    number.start, number.end, what, confidence, mask_digits(number.digits), number.brand.name, key
                )

    def severity_of(self, hit: Hit) -> Severity:
        """Return the severity; a published test card is nobody's, but what stores it would store anybody's."""
        return Severity.MEDIUM if PUBLISHED_TEST in hit.what else self.severity
