import hashlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.registry import detector
from harness.scan.canaries import Canaries
from harness.scan.canaries import Canary as Value
from harness.scan.digits import MARGIN, numbers, prepared
from harness.scan.luhn import check_digit
from harness.scan.streams import Bits
from harness.scan.view import View

__all__ = ["Canary"]

_NUMBER = "400005" + "9876543" + "21"
_NUMBER += check_digit(_NUMBER)
_NAME = b"Ada Lovelace 5f0c1e9b7a21"
_PHONE = b"+15550142637"
_SAMPLES = Canaries(
    (
        Value("card number", "sample", _NUMBER.encode()),
        Value("name", "sample", _NAME),
        Value("phone", "sample", _PHONE),
    )
)


def _hit(start: int, end: int, canary: Value, how: str) -> Hit:
    what = f"{canary.kind} ({canary.label})" + ("" if how == "as it is" else f", {how}")
    return Hit(start, end, what, Confidence.CERTAIN, f"[{canary.kind}: {canary.label}]")


@detector
class Canary:
    """A value that a run made up, in the forms that ``harness.scan.canaries`` lists.

    ``Canary(values)`` looks for a run's. Without values it knows those of its own samples only.
    """

    name: ClassVar[str] = "canary"
    positive: ClassVar[tuple[bytes, ...]] = (
        b"billed to " + _NAME,
        b"call " + _PHONE,
        _NAME.upper(),
        _NAME[::-1],
        f"{_NUMBER[:4]} {_NUMBER[4:8]} {_NUMBER[8:12]} {_NUMBER[12:]}".encode(),
        f"x{_NUMBER}".encode(),
        hashlib.sha256(_NUMBER.encode()).hexdigest().encode(),
        hashlib.md5(_NAME, usedforsecurity=False).digest(),
        b64encode(hashlib.sha512(_NUMBER.encode()).digest()),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"billed to Ada Lovelace",
        f"{_NUMBER[:6]}******{_NUMBER[-4:]}".encode(),
        hashlib.blake2b(_NUMBER.encode(), key=b"kept").hexdigest().encode(),
    )

    def __init__(self, values: Canaries = _SAMPLES) -> None:
        self._values = values
        self.anchor: Bits = values.anchor

    def __reduce__(self) -> tuple[type, tuple[Canaries]]:
        return Canary, (self._values,)

    @classmethod
    def of(cls, values: Canaries | None) -> "Canary | None":
        """Return the detector of some values; None where there are none."""
        return cls(values) if values is not None and values.values else None

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each value."""
        for hit in self.search(prepared(data, {f"detector {self.name}": self.anchor})):
            yield replace(hit, start=hit.start - MARGIN, end=hit.end - MARGIN)

    def search(self, view: View) -> Iterator[Hit]:
        """Return each value in a prepared text."""
        for place, form in self._values.find(view, view.places(f"detector {self.name}")):
            yield _hit(place, place + len(form.text), form.canary, form.how)
        for number in numbers(view) if self._values.numbers else ():
            known = self._values.numbers.get(number.digits)
            if known is not None:
                yield _hit(number.start, number.end, known, "as it is")
