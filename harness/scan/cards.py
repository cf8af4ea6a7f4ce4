"""How surely a number is a card number: by its brand, its grouping and what stands around it."""

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.domain.finding import Confidence
from harness.scan.brands import TEST_NUMBERS
from harness.scan.context import (
    EXPIRY,
    Edge,
    edge_after,
    edge_before,
    key_before,
    name_before,
    names_before,
    surely_joined,
    words_of,
)
from harness.scan.digits import Number
from harness.scan.streams import Places
from harness.scan.view import View

__all__ = ["believed", "likely", "masked"]

_REACH = 40  # bytes within which a neighbour tells
_OTHER_THINGS = frozenset(
    """
    amount amt balance barcode bytes checksum count counter created cursor duration ean elapsed epoch etag event expires
    fax gtin hash height iccid id ids identifier idx imei imsi index invoice isbn isin issn latency length lsn mac
    micros millis mobile modified ms msisdn nanos nonce ns offset oid order orders phone pid port price qty quantity ref
    reference request revision rid seq sequence serial session sha size sku span ssn tax tel telephone tenant ticket tid
    time timestamp total trace tracking transaction ts txn tx upc updated uptime us user uuid guid vat version xid
    ordernumber orderid phonenumber spanid traceid trackingnumber userid requestid invoiceid
    """.split()  # noqa: SIM905 (a list would take a hundred lines)
)
_CARDS = frozenset(
    """
    card cards cardno cardnr cardnum cardnumber cc ccn ccno ccnum ccnumber creditcard creditcardnumber debitcard
    debitcardnumber pan panno pannumber primaryaccountnumber
    """.split()  # noqa: SIM905 (a list would take a hundred lines)
)
_TEST_NUMBERS = frozenset(number.encode() for number in TEST_NUMBERS)
_CARD_NAMES = (
    frozenset({"number"}),
    frozenset({"track"}),
    frozenset({"track", "data"}),
    frozenset({"primary", "account", "number"}),
)
_TELLING = _CARDS | frozenset(
    """
    american amex cardholder credit csc cvc cvc2 cvn cvv cvv2 debit diners discover exp expiration expiry jcb maestro
    mastercard track track1 track2 unionpay visa
    """.split()  # noqa: SIM905 (a list would take a hundred lines)
)
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_WITHIN = ("card", "credit", "debit", "exp", "cv", "track", "cc", "pan")


@lru_cache(maxsize=4096)
def _key_says(key: str) -> bool | None:
    """Return whether a name says that its value is a card number, or that it is not; None where it says nothing."""
    words = frozenset(words_of(key))
    card = bool(words & _CARDS) or words in _CARD_NAMES
    other = bool(words & _OTHER_THINGS)
    return None if card == other else card


@lru_cache(maxsize=4096)
def _name_says(name: bytes) -> bool | None:
    return _key_says(name.decode("ascii", "replace"))


def _neighbour_tells(data: bytes | bytearray, number: Number) -> bool:
    around = data[max(0, number.start - _REACH) : number.start], data[number.end : number.end + _REACH]
    for token in _TOKEN.findall(b"\n".join(around).decode("latin-1")):
        low = token.lower()
        if low in _TELLING:
            return True
        if low != token and any(part in low for part in _WITHIN) and not _TELLING.isdisjoint(words_of(token)):
            return True
    return EXPIRY.match(around[1]) is not None


def likely(view: View, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    """Return which numbers without separators may be believed more than the least: not what is named something else."""
    data, result = view.data, ~surely_joined(view, starts, ends)
    rows = np.flatnonzero(result)
    starts, ends = starts[rows], ends[rows]
    names = names_before(view, starts)
    for row, start, end, name in zip(rows.tolist(), starts.tolist(), ends.tolist(), names, strict=True):
        if _name_says(name) is False and bytes(data[start:end]) not in _TEST_NUMBERS:
            result[row] = False
    return result


def believed(
    data: bytes | bytearray, number: Number, column: str = "", at_least: Confidence = Confidence.LOW
) -> tuple[Confidence | None, str]:
    """Return how surely a number is a card's, None for never, and the name that stands before it, if it may be shown.

    ``column`` is what the place as a whole is called, where the text does not say it: a database's column. What is
    less sure than ``at_least`` is never.
    """
    confidence = _confidence(data, number, column, at_least.rank)
    if confidence is None or confidence.rank < at_least.rank:
        return None, ""
    return confidence, key_before(data, number.start).shown


def _confidence(data: bytes | bytearray, number: Number, column: str, asked: int) -> Confidence | None:
    edges = edge_before(data, number.start), edge_after(data, number.end)
    if Edge.MASKED in edges:
        return None
    low = Confidence.LOW if number.luhn else None
    if Edge.JOINED in edges:
        return low
    if number.digits in TEST_NUMBERS:
        return Confidence.CERTAIN
    weak = len(number.digits) in number.brand.weak
    most = 2 if not weak or number.brand.name != "UATP" else 0
    lacks = (not number.usual) + (not number.luhn)
    if most - lacks < asked - Confidence.LOW.rank:
        return None
    says = _name_says(name_before(data, number.start))
    if says is None:
        says = _key_says(column)
    if says is False:
        return low
    level = most if says or _neighbour_tells(data, number) else 1 - weak
    return _LEVELS[level - lacks] if level >= lacks else None


_LEVELS = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


def masked(digits: str) -> str:
    """Return the first six and last four digits (PCI DSS 3.4.1), the others hidden."""
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"
