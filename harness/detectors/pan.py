from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.scan.brands import TEST_NUMBERS
from harness.scan.cards import believed, masked
from harness.scan.digits import numbers
from harness.scan.view import View

class Pan:
    name: ClassVar[str] = "pan"

    def search(self, view: View) -> Iterator[Hit]:
        for number in numbers(view):
            confidence, key = believed(view.data, number, view.column(number.start))
            if confidence is not None:
                test = number.digits in TEST_NUMBERS
                what = f"{number.brand.name} card number"
                yield Hit(number.start, number.end, what, confidence, masked(number.digits), number.brand.name, key)
