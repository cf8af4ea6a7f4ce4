import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.brands import is_for_tests
from payproof.scan.characters import either, one, word
from payproof.scan.context import words_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, END, is_numbered, make_named_pattern
from payproof.scan.names import say
from payproof.scan.streams import Bits

__all__ = ["Cvc"]

_NAMES = (
    rb"(?:cvc2?|cvv2?|%s(?:cvn2?|cvd|csc))(?:[_ -]?(?:code|number|num|no|value))?"
    rb"|card[_ -]?(?:security[_ -]?)?code|security[_ -]?code|(?:card[_ -]?)?verification[_ -]?(?:value|code|number)"
) % EDGE
_VALUE = rb"\d{3,4}" + END
#: With one of these before it a name is that of an error, and its number the error's.
_OF_ERRORS = frozenset(
    (
        *("bad", "declined", "err", "error", "failed", "failure", "incorrect", "invalid", "mismatch", "missing"),
        *("unknown", "unsupported", "wrong"),
    )
)
_NEAR = 112
_CARDS = frozenset({"card", "credit", "debit"})
_NUMBER = re.compile(rb"(?<!\d)\d(?:[ -]?\d){11,18}(?!\d)")
_CODE = make_named_pattern(rb"(?:%s)" % _NAMES, _VALUE)


def _names_error(data: bytes, place: int) -> bool:
    words = [word for word in words_before(data, place) if word not in _CARDS]
    return words[-1:] != [] and words[-1] in _OF_ERRORS


def _name_code(data: bytes) -> str:
    """Return what to call a code: one beside a number that is published for tests is nobody's either."""
    numbers = [match[0].translate(None, b" -").decode() for match in _NUMBER.finditer(data)]
    of_tests = bool(numbers) and all(map(is_for_tests, numbers))
    return f"card verification code of a {PUBLISHED_TEST} card" if of_tests else "card verification code"


def _find_confidence(match: re.Match[bytes], near: bytes) -> Confidence:
    """Return how surely a named number is a code: what is sent by SMS, and a PIN's value, are called so, too."""
    if not match["sign"].strip() or (match["key"].lower().startswith(b"verification") and not say(near)):
        return Confidence.MEDIUM
    return Confidence.HIGH


@detector
class Cvc(AnchoredDetector):
    """A card verification code by its name: never kept after authorisation, not even encrypted (PCI DSS 3.3.1.2)."""

    name: ClassVar[str] = "cvc"
    severity: ClassVar[Severity] = Severity.CRITICAL
    anchor: ClassVar[Bits] = (
        (either("c") & either("v").ahead(1) & (either("c") | either("v") | either("n") | either("d")).ahead(2))
        | (either("c") & either("s").ahead(1) & either("c").ahead(2))
        | word("security", caseless=True)
        | word("verification", caseless=True)
        | (
            either("d")
            & (word("co", caseless=True).ahead(1) | (one("_") & word("co", caseless=True).ahead(1)).ahead(1))
        )
    )
    begins: ClassVar[re.Pattern[bytes]] = re.compile(
        rb"c[vs][cnvd](?:[^a-z0-9]|[2cnv])|security|verification|d_?co", re.IGNORECASE
    )
    reach: ClassVar[tuple[int, int]] = (128, 128)
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"cvc": "123"}',
        b"card[cvc]=1234&card[exp_month]=12",
        b"<CVV2>123</CVV2>",
        b'{\\"securityCode\\":\\"123\\"}',
        b"security_code: 123",
        b"CVV 123",
        b'{"body":"{\\"card\\":\\"{\\\\\\"cvc\\\\\\":\\\\\\"123\\\\\\"}\\"}"}',
        b'{"cvc":{"value":"123"}}',
        b'{"name":"cvc","value":"123"}',
        b'<input name="cvc" type="text" value="123">',
        b'<cvc type="plain">123</cvc>',
        b"cvc:\n  value: 123",
        b"cvc%3D123%26x",
        b"cvc%253D123%2526x",
        b"cvc\\u003d123\\u0026x",
        b"CARD_CVC=123\nCARD_ZIP=94107\n",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"cvc_check": "pass"}',
        b'{"cvc": null}',
        b'{"cvc": "***"}',
        b"cvc=12345",
        b"CVC 4.0.1",
        b"retry cvv 123.45",
        b"NO_STATUS_RCVD = 1005",
        b"INVALID_CVC = 1005",
        b'{"incorrect_cvc": 1023}',
        b"PAN = 1004\nCVC = 1005\nEXPIRY = 1006\n",
        b"  CVV: 200,  // the code\n  EXPIRY: 201,\n  NAME: 202,\n",
        b'{"name":"cvc","type":"number"},{"value":"123"}',
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each code."""
        for match in _CODE.finditer(data):
            if not is_numbered(data, match) and not _names_error(data, match.start()):
                start, end = match.span()
                near = data[max(0, start - _NEAR) : start] + data[end : end + _NEAR]
                sure, key = _find_confidence(match, near), match["key"].decode()
                yield Hit(match.start("value"), match.end("value"), _name_code(near), sure, "***", key=key)
