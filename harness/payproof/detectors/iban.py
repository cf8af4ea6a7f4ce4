import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import MADE_UP, PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import DIGIT, nibble, one, word
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE
from payproof.scan.placeholders import is_made_up
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
#: The registry's example of each country, and what Stripe publishes beside them for tests of SEPA debits: nobody's.
_EXAMPLES = frozenset(
    """
    AD1200012030200359100100 AE070331234567890123456 AL47212110090000000235698741 AT611904300234573201
    AZ21NABZ00000000137010001944 BA391290079401028494 BE68539007547034 BE62510007547061 BG80BNBG96611020345678
    BH67BMAG00001299123456 BR1800360305000010009795493C1 CH9300762011623852957 CR05015202001026284066
    CY17002001280000001200527600 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243
    DO28BAGR00000001212453611324 EE382200221020145685 ES9121000418450200051332 ES0700120345030000067890
    FI2112345600000785 FO6264600001631634 FR1420041010050500013M02606 GB29NWBK60161331926819
    GB82WEST12345698765432 GE29NB0000000101904917 GI75NWBK000000007099453 GL8964710001000206 GR1601101250000000012300695
    GT82TRAJ01020000001210029690 HR1210010051863000160 HU42117730161111101800000000 IE29AIBK93115212345678
    IL620108000000099999999 IQ98NBIQ850123456789012 IS140159260076545510730339 IT60X0542811101000000123456
    IT40S0542811101000000123456 JO94CBJO0010000000000131000302 KW81CBKU0000000000001234560101 KZ86125KZT5004100100
    LB62099900000001001901229114 LC55HEMM000100010012001200023015 LI21088100002324013AA LT121000011101001000
    LU280019400644750000 LV80BANK0000435195001 MC5811222000010123456789030 MD24AG000225100013104168
    ME25505000012345678951 MK07250120000058984 MR1300020001010000123456753 MT84MALT011000012345MTLCAST001S
    MU17BOMM0101101030300200000MUR NL91ABNA0417164300 NL39RABO0300065264 NO9386011117947 PK36SCBL0000001123456702
    PL61109010140000071219812874 PT50000201231234567890154 QA58DOHB00001234567890ABCDEFG RO49AAAA1B31007593840000
    RS35260005601001611379 SA0380000000608010167519 SE4550000000058398257466 SI56263300012039086
    SK3112000000198742637541 SM86U0322509800000000270100 TN5910006035183598478831 TR330006100519786457841326
    VG96VPVG0000012345678901 XK051212012345678906
    """.split()  # noqa: SIM905 (a list would take seventy lines)
)
_START = re.compile(rb"%s(?P<iban>[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30})" % EDGE)
_GAPS = b" -"
_NO_CHECKS = frozenset({"00", "01", "99"})  # what is left of 98 is 2 to 98
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


def _is_checked(number: str) -> bool:
    """Whether the check digits of a number are right (ISO 7064)."""
    return number[2:4] not in _NO_CHECKS and int(_in_digits(number[4:] + number[:4])) % 97 == 1


def _name_sort(number: str) -> str:
    if number in _EXAMPLES:
        return f"{PUBLISHED_TEST} "
    return f"{MADE_UP} " if is_made_up(number[4:]) else ""


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
        b"DE000000000000" + b"00000066",
        b"x" + _GERMAN,
        _GERMAN[:4] + b"*" * 14 + _GERMAN[-4:],
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each number."""
        for match in _START.finditer(data):
            text, start = match["iban"], match.start("iban")
            length = _LENGTHS.get(text[:2].decode().upper(), 0)
            number = text.translate(None, _GAPS)[:length].decode().upper()
            if len(number) == length and length and _is_checked(number):
                end = _end(data, start, length)
                if not data[end : end + 1].isalnum():
                    what = f"{_name_sort(number)}bank account number (IBAN)"
                    shown = f"{number[:4]}{'*' * (length - 8)}{number[-4:]}"
                    yield Hit(start, end, what, Confidence.HIGH, shown, key=key_before(data, start).shown)
