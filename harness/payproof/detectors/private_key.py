import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import one, word
from payproof.scan.detector import AnchoredDetector
from payproof.scan.placeholders import masks
from payproof.scan.streams import Bits

__all__ = ["PrivateKey"]

_LINE = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASC" + "BKgwggSkAgEAAoIBAQC7VJTUt9Us8cKj"
_HEAD = "-----BEGIN " + "PRIVATE KEY-----"
_PEM = re.compile(
    rb"-----BEGIN (?P<sort>(?:[A-Z0-9]+ ){0,3})PRIVATE KEY(?: BLOCK)?-----(?:\s|\\+[rn]|%0[AaDd]|[A-Za-z-]+: [^\r\n]+)*"
    rb"(?P<body>[A-Za-z0-9+/=]{32,}(?:(?:\s|\\+[rn])*[A-Za-z0-9+/=]+)*)"
)
#: What is written where the rest was left out.
_LEFT_OUT = re.compile(rb"\s*(?:\.{2,}|\xe2\x80\xa6|\\+u2026|\*{2}|[\[<({])")


@detector
class PrivateKey(AnchoredDetector):
    """A private key in PEM (RFC 7468), of OpenSSH or OpenPGP."""

    name: ClassVar[str] = "private_key"
    severity: ClassVar[Severity] = Severity.CRITICAL
    anchor: ClassVar[Bits] = one("-").run(4) & word("BEGIN").ahead(5)
    reach: ClassVar[tuple[int, int]] = (0, 4096)
    positive: ClassVar[tuple[bytes, ...]] = (
        f"{_HEAD}\n{_LINE}\n".encode(),
        f'{{"key":"{_HEAD}\\n{_LINE}\\n"}}'.encode(),
        f"{_HEAD.replace('PRIVATE', 'RSA PRIVATE')}\r\nProc-Type: 4,ENCRYPTED\r\n\r\n{_LINE}".encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        f"-----BEGIN PUBLIC KEY-----\n{_LINE}\n".encode(),
        f"-----BEGIN CERTIFICATE-----\n{_LINE}\n".encode(),
        f"a PEM file begins with {_HEAD}".encode(),
        f"{_HEAD}\\n{_LINE}...fvY4+te\\n".encode(),
        f"{_HEAD}\n{_LINE}\n[...]\n".encode(),
        f"{_HEAD}\n{_LINE[:40]}EXAMPLE{_LINE[40:]}\n".encode(),
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each key that is there, and not its first line only, nor one that was spoilt to be an example."""
        for match in _PEM.finditer(data):
            if masks(match["body"]) or _LEFT_OUT.match(data, match.end()):
                continue
            sort = (match["sort"].decode() + "private key").strip()
            yield Hit(match.start(), match.end(), sort, Confidence.HIGH, f"{sort} ({len(match['body'])} characters)")
