import binascii
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import word
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import begins, secret
from payproof.scan.streams import Bits

__all__ = ["Jwt"]

_SHORTEST_SIGNATURE = 16
_TOKEN = re.compile(rb"(?P<head>eyJ[A-Za-z0-9_-]{8,})\.(?P<body>[A-Za-z0-9_-]{2,})\.(?P<signature>[A-Za-z0-9_-]*)")


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


_SIGNED = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'sub': '1'})}."


def _is_header(text: bytes) -> bool:
    try:
        value = json.loads(binascii.a2b_base64(text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("alg"), str)


@detector
class Jwt(AnchoredDetector):
    """A JSON Web Token (RFC 7519): whoever holds it is who it says."""

    name: ClassVar[str] = "jwt"
    severity: ClassVar[Severity] = Severity.MEDIUM
    anchor: ClassVar[Bits] = word("eyJ")
    reach: ClassVar[tuple[int, int]] = (8, 4096)
    positive: ClassVar[tuple[bytes, ...]] = (
        f"Authorization: Bearer {_SIGNED}{'k9-_' * 10}".encode(),
        f'{{"id_token":"{_SIGNED}{"k9-_" * 10}"}}'.encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        f"{_SIGNED}".encode(),
        f"{_part({'sub': '1'})}.{_part({'sub': '1'})}.{'k9-_' * 10}".encode(),
        b"eyJ0.eyJ1.abc",
        b"eyJhbGciOiJIUzI1NiJ9",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each signed token."""
        for match in _TOKEN.finditer(data):
            if (
                begins(data, match.start())
                and len(match["signature"]) >= _SHORTEST_SIGNATURE
                and _is_header(match["head"])
            ):
                shown = secret(b"eyJ", match[0])
                yield Hit(
                    match.start(),
                    match.end(),
                    "JSON Web Token",
                    Confidence.HIGH,
                    shown,
                    key=key_before(data, match.start()).shown,
                )
