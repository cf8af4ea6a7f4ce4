import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import DIGIT, nibble, one, word
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE
from payproof.scan.streams import Bits

__all__ = ["Iban"]

# The SWIFT registry of IBAN formats, release 99: characters of each country's numbers.
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
_START = re.compile(rb"%s(?P<iban>[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30})" % EDGE)
_GAPS = b" -"
_upper = nibble(4, 4) | nibble(4, 5)
_alnum = _upper | DIGIT


def _number(bank: str, country: str) -> bytes:
    """Return an IBAN with the check digits that it needs (ISO 13616)."""
    return f"{country}{98 - int(_in_digits(bank + country + '00')) % 97:02d}{bank}".encode()


def _in_digits(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


_GERMAN = _number("37040044" + "0532013000", "DE")
_BRITISH = _number("NWBK" + "601613" + "31926819", "GB")


def _end(data: bytes, start: int, length: int) -> int:
    """Return where a number of so many characters ends, gaps not counted."""
    place = start
    while length:
        length -= data[place] not in _GAPS
        place += 1
    return place


@detector
class Iban(AnchoredDetector):
    """An international bank account number: country, length and check digits (ISO 13616)."""

    name: ClassVar[str] = "iban"
    severity: ClassVar[Severity] = Severity.MEDIUM
    anchor: ClassVar[Bits] = (
        _upper.run(2) & DIGIT.run(2).ahead(2) & ~_alnum.behind(1) & (_alnum | one(" ") | one("-")).run(15)
    ) | word("iban", caseless=True)
    reach: ClassVar[tuple[int, int]] = (8, 64)
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"iban":"%s"}' % _GERMAN,
        b"to " + b" ".join(_GERMAN[index : index + 4] for index in range(0, len(_GERMAN), 4)) + b" by Friday",
        b"IBAN: " + _BRITISH,
        b"iban=" + _GERMAN.lower(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        _GERMAN[:2] + b"00" + _GERMAN[4:],
        _GERMAN[:-1],
        b"x" + _GERMAN,
        _GERMAN[:4] + b"*" * 14 + _GERMAN[-4:],
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each number."""
        for match in _START.finditer(data):
            text = match["iban"]
            length = _LENGTHS.get(text[:2].decode().upper(), 0)
            compact = text.translate(None, _GAPS)[:length].decode().upper()
            if len(compact) == length and length and int(_in_digits(compact[4:] + compact[:4])) % 97 == 1:
                start = match.start("iban")
                end = _end(data, start, length)
                if not data[end : end + 1].isalnum():
                    shown = f"{compact[:4]}{'*' * (length - 8)}{compact[-4:]}"
                    yield Hit(
                        start,
                        end,
                        "bank account number (IBAN)",
                        Confidence.HIGH,
                        shown,
                        key=key_before(data, start).shown,
                    )
