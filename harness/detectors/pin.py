import re
from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.registry import detector
from harness.scan.characters import word
from harness.scan.keyed import named
from harness.scan.streams import Bits

__all__ = ["Pin"]

_NAMES = rb"(?<![a-z])(?:card[_ -]?)?pin(?:[_ -]?(?:block|code|number|num|no|value))?(?![a-z])"
_PIN = named(_NAMES, rb"(?:\d{4}|[0-9a-f]{16})(?![\w%*]|[.,-]\d|\s?[*x]{2})")
_BLOCK = 16


@detector
class Pin:
    """A card's PIN or PIN block by its name: never to be kept after authorisation (PCI DSS 3.3.1.3)."""

    name: ClassVar[str] = "pin"
    anchor: ClassVar[Bits] = word("pin", caseless=True)
    begins: ClassVar[re.Pattern[bytes]] = re.compile(rb"(?:(?<![a-z])|(?<=card))pin(?:[^a-z]|[bcnv])", re.IGNORECASE)
    reach: ClassVar[tuple[int, int]] = (16, 64)
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"pin": "1234"}',
        b"card_pin=1234&x=1",
        b"<PIN>1234</PIN>",
        b'{"pinBlock":"' + b"0412AC89" + b'ABCDEF67"}',
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"pin": null}',
        b'{"pin": "****"}',
        b"shipping: 1234",
        b"mapping=1234",
        b"pincode: 560001",
        b"GPIO pin 1234 is high",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each PIN."""
        for match in _PIN.finditer(data):
            if match["sign"].strip():
                key, block = match["key"].decode(), len(match["value"]) == _BLOCK
                if block and b"block" not in match["key"].lower():
                    continue
                sure = block or b"card" in match["key"].lower()
                what = "PIN block" if block else "PIN"
                confidence = Confidence.HIGH if sure else Confidence.MEDIUM
                yield Hit(match.start("value"), match.end("value"), what, confidence, "****", key=key)
