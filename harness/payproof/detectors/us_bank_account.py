import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import PUBLISHED_TEST, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import either, word
from payproof.scan.context import words_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import make_named_pattern
from payproof.scan.streams import Bits

__all__ = ["UsBankAccount"]

_END = rb"(?![\w%*]|[.,-]\d)"
_ROUTING = make_named_pattern(rb"(?:aba[_ -]?)?routing(?:[_ -]?(?:transit[_ -]?)?(?:number|num|no))?", rb"\d{9}" + _END)
_ACCOUNT = make_named_pattern(
    rb"(?:bank[_ -]?)?account[_ -]?(?:number|num|no|nr)|acct[_ -]?(?:number|num|no)", rb"\d{6,17}" + _END
)
#: Of accounts for tests: https://docs.stripe.com/connect/testing.
_TEST_NUMBERS = frozenset({b"110000000", b"000123456789"})
#: A card's number is its primary account number; an account with a cloud is none with a bank.
_NO_BANKS = frozenset({"aws", "azure", "cloud", "gcp", "primary"})
_WEIGHTS = (3, 7, 1) * 3
_NEAR = 160


def _is_routing(number: bytes) -> bool:
    """Whether the check digit of a routing number is right (ABA); all zeros would be."""
    return (
        sum(weight * (digit - 48) for weight, digit in zip(_WEIGHTS, number, strict=True)) % 10 == 0
        and number[:1] <= b"3"
        and any(number.strip(b"0"))
    )


def _hit(match: re.Match[bytes], what: str, confidence: Confidence) -> Hit:
    if match["value"] in _TEST_NUMBERS:
        what = f"{PUBLISHED_TEST} {what}"
    shown = "*" * (len(match["value"]) - 4) + match["value"][-4:].decode()
    return Hit(match.start("value"), match.end("value"), what, confidence, shown, key=match["key"].decode())


@detector
class UsBankAccount(AnchoredDetector):
    """A US bank account: a routing number by its name and check digit, an account number by its name."""

    name: ClassVar[str] = "us_bank_account"
    severity: ClassVar[Severity] = Severity.MEDIUM
    anchor: ClassVar[Bits] = (
        word("routing", caseless=True)
        | (word("account", caseless=True) & either("n").ahead(7).within(2))
        | (word("acct", caseless=True) & either("n").ahead(4).within(2))
    )
    reach: ClassVar[tuple[int, int]] = (_NEAR, _NEAR)
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"routing_number":"11000' + b'0000","account_number":"000123' + b'456789"}',
        b"routing number: 02100" + b"0021",
        b'{"bank_account_number": 1234' + b"5678901}",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"routing_number":"110000001"}',
        b'{"routing_number":"000000000"}',
        b'{"account":"acct_1MtwBwLkdIwHu7ix"}',
        b'{"account_number":"****6789"}',
        b"event routing: 12345",
        b'{"awsAccountNumber": "123456780012"}',
        b"--primary-account-number=171234567890123",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each routing number, and each account number: surely where a routing number stands near."""
        routes = [match for match in _ROUTING.finditer(data) if _is_routing(match["value"])]
        for match in routes:
            yield _hit(match, "US bank routing number", Confidence.HIGH)
        for match in _ACCOUNT.finditer(data):
            if not _NO_BANKS.isdisjoint(words_before(data, match.start())):
                continue
            beside = any(abs(match.start() - route.start()) < _NEAR for route in routes)
            yield _hit(match, "bank account number", Confidence.HIGH if beside else Confidence.MEDIUM)
