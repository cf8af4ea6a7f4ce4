import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from payproof.domain.detector import PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.brands import is_for_tests
from payproof.scan.cards import mask_digits
from payproof.scan.context import in_token
from payproof.scan.detector import PreparedDetector
from payproof.scan.digits import MARGIN, find_numbers, prepare_view
from payproof.scan.luhn import check_digit
from payproof.scan.streams import Places
from payproof.scan.view import View

__all__ = ["TrackData"]

_NUMBER = "400005" + "1234567" + "89"
_NUMBER += check_digit(_NUMBER)

# Name, then year and month of expiry, service code and what the issuer likes (ISO/IEC 7813).
_FIRST = re.compile(rb"\^[^^\r\n?]{2,26}\^\d\d(?:0[1-9]|1[0-2])(?:\d{3}|\^)[^\r\n?\x7f]{0,40}\??")
_SECOND = re.compile(rb"[=Dd]\d\d(?:0[1-9]|1[0-2])\d{3,24}[Ff?]?")
_SIGNS = np.zeros(256, np.bool_)
_SIGNS[list(b"^=Dd")] = True


def _find_end(view: View, _starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Return which numbers one of the signs that separate a track's fields follows."""
    return _SIGNS[view.bytes[ends]]


@detector
class TrackData(PreparedDetector):
    """Data of a card's magnetic stripe or chip, track 1 or 2: never kept after authorisation (PCI DSS 3.3.1.1)."""

    name: ClassVar[str] = "track_data"
    severity: ClassVar[Severity] = Severity.CRITICAL
    positive: ClassVar[tuple[bytes, ...]] = (
        f"%B{_NUMBER}^LOVELACE/ADA^2912101000000000000?".encode(),
        f";{_NUMBER}=29121010000000000?".encode(),
        f'{{"emv57":"{_NUMBER}D2912101123456789F"}}'.encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        f'{{"number":"{_NUMBER}"}}'.encode(),
        f"?a={_NUMBER}=2913".encode(),
        b"%B400005******6789^LOVELACE/ADA^2912101?",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each track."""
        for hit in self.search(prepare_view(data)):
            yield replace(hit, start=hit.start - MARGIN, end=hit.end - MARGIN)

    def search(self, view: View) -> Iterator[Hit]:
        """Return each track in a prepared text."""
        for number in find_numbers(view, _find_end):
            for track, sign, rest in ((1, b"Bb", _FIRST), (2, b"", _SECOND)):
                match = rest.match(view.data, number.end)
                if match and (not sign or view.data[number.start - 1] in sign):
                    start = number.start - (track == 1)
                    sort = f"{PUBLISHED_TEST} card" if is_for_tests(number.digits) else "card"
                    what = f"track {track} of a {number.brand.name} {sort}"
                    # About one in 15 MB of hexadecimal digits looks so by chance, within a longer token.
                    by_chance = not sign and in_token(view.data, start, match.end())
                    sure = Confidence.LOW if by_chance else Confidence.HIGH
                    yield Hit(start, match.end(), what, sure, mask_digits(number.digits), number.brand.name)
