import hashlib
from base64 import b64encode
from typing import ClassVar

from payproof.registry import detector
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.luhn import check_digit
from payproof.scan.own_values import OwnValues

__all__ = ["CanaryDetector"]

_NUMBER = "400005" + "9876543" + "21"
_NUMBER += check_digit(_NUMBER)
_NAME = b"Ada Lovelace 5f0c1e9b7a21"
_PHONE = b"+15550142637"
_SAMPLES = Canaries(
    (
        Canary("card number", "sample", _NUMBER.encode()),
        Canary("name", "sample", _NAME),
        Canary("phone", "sample", _PHONE),
    )
)


@detector
class CanaryDetector(OwnValues):
    """A value that a run made up, in the forms that ``payproof.scan.canaries`` lists.

    ``CanaryDetector(values)`` looks for a run's. Without values it knows those of its own samples only.
    """

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
        super().__init__(values)

    def __reduce__(self) -> tuple[type, tuple[Canaries]]:
        return CanaryDetector, (self._values,)
