import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import word
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, END, is_numbered, make_named_pattern
from payproof.scan.streams import Bits

__all__ = ["Pin"]

# In JavaScript's spelling a capital begins the word: userPin.
_NAMES = (
    rb"(?:%s|(?-i:(?<=[a-z])(?=P[^A-Z])))(?:card[_ -]?)?pin(?:[_ -]?(?:block|code|number|num|no|value))?(?![a-z])"
    % EDGE
)
_PIN = make_named_pattern(_NAMES, rb"(?:\d{4}|[0-9a-f]{16})" + END)
_BLOCK = 16
_SPACES = (b" ", b"\t", b"\n")


@detector
class Pin(AnchoredDetector):
    """A card's PIN or PIN block by its name: never to be kept after authorisation (PCI DSS 3.3.1.3)."""

    name: ClassVar[str] = "pin"
    severity: ClassVar[Severity] = Severity.CRITICAL
    anchor: ClassVar[Bits] = word("pin", caseless=True)
    begins: ClassVar[re.Pattern[bytes]] = re.compile(rb"pin(?:[^a-z]|[bcnv])", re.IGNORECASE)
    reach: ClassVar[tuple[int, int]] = (128, 128)
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"pin": "1234"}',
        b"card_pin=1234&x=1",
        b"<PIN>1234</PIN>",
        b'{"pinBlock":"' + b"0412AC89" + b'ABCDEF67"}',
        b'{"body":"a=1\\npin=1234\\nb=2"}',
        b'{"body":"{\\"x\\":\\"{\\\\\\"pin\\\\\\":\\\\\\"1234\\\\\\"}\\"}"}',
        b"x%0Apin=1234",
        b"card%5Bpin%5D=1234",
        b"pin%253D1234%2526x",
        b'{"name":"card_pin","value":"1234"}',
        b'"card_pin":{"value":"1234"}',
        b'Content-Disposition: form-data; name="pin"\r\n\r\n1234\r\n',
        b"userPin: 1234",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"pin": null}',
        b'{"pin": "****"}',
        b"shipping: 1234",
        b"mapping=1234",
        b"pincode: 560001",
        b"GPIO pin 1234 is high",
        b'{\n "pim": 5534,\n "pin": 5535,\n "pio": 5536\n}',
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each PIN."""
        for match in _PIN.finditer(data):
            if match["sign"] not in _SPACES:
                key, block = match["key"].decode(), len(match["value"]) == _BLOCK
                if not block and is_numbered(data, match):
                    continue
                if block and b"block" not in match["key"].lower():
                    continue
                sure = block or b"card" in match["key"].lower()
                what = "PIN block" if block else "PIN"
                confidence = Confidence.HIGH if sure else Confidence.MEDIUM
                yield Hit(match.start("value"), match.end("value"), what, confidence, "****", key=key)
