import binascii
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import GUESSABLE, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import word
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import begins, secret
from payproof.scan.streams import Bits

__all__ = ["Jwt"]

_SHORTEST_SIGNATURE = 16
#: Keys that the documentation of JWT's tools signs its examples with; whoever knows one can make such tokens.
_GUESSES = (
    *(b"secret", b"key", b"password", b"your-256-bit-secret", b"your-384-bit-secret", b"your-512-bit-secret"),
    *(b"a-string-secret-at-least-256-bits-long", b"your-secret-key", b"secret-key", b"shhhhh", b"test"),
)
_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_TOKEN = re.compile(rb"(?P<head>eyJ[A-Za-z0-9_-]{8,})\.(?P<body>[A-Za-z0-9_-]{2,})\.(?P<signature>[A-Za-z0-9_-]*)")


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


_SIGNED = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'sub': '1'})}."


def _decode(text: bytes) -> bytes:
    return binascii.a2b_base64(text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4))


def _read_algorithm(head: bytes) -> str | None:
    try:
        value = json.loads(_decode(head))
    except (ValueError, RecursionError):
        return None
    algorithm = value.get("alg") if isinstance(value, dict) else None
    return algorithm if isinstance(algorithm, str) else None


def _is_guessable(match: re.Match[bytes], algorithm: str) -> bool:
    """Whether a token is signed with a key that anybody would try."""
    name, signed = _HASHES.get(algorithm), match["head"] + b"." + match["body"]
    try:
        signature = _decode(match["signature"])
    except ValueError:
        return False
    return name is not None and any(hmac.digest(key, signed, name) == signature for key in _GUESSES)


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
            if not begins(data, match.start()) or len(match["signature"]) < _SHORTEST_SIGNATURE:
                continue
            algorithm = _read_algorithm(match["head"])
            if algorithm is not None:
                sort = f" signed with a {GUESSABLE} key" if _is_guessable(match, algorithm) else ""
                shown, key = secret(b"eyJ", match[0]), key_before(data, match.start()).shown
                yield Hit(match.start(), match.end(), f"JSON Web Token{sort}", Confidence.HIGH, shown, key=key)
