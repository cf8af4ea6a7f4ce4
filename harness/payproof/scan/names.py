"""Reads the words around a number: they name a card, or something else, or a card's other data stands beside it."""

import re
from functools import lru_cache

from payproof.scan.characters import word
from payproof.scan.context import EXPIRY, words_of
from payproof.scan.streams import Bits, plane

__all__ = ["BEHIND_CARD", "REACH", "beside", "key_says", "name_says", "say", "tells"]

_odd_letter = plane(6) & plane(5) & plane(0)  # small ones: account, access, occur
_CARD_WITHIN = 32  # bytes
#: Behind what a card may be named by; a number that is in no usual form is looked at only there.
BEHIND_CARD: Bits = (
    (word("card", caseless=True) | word("pan", caseless=True) | (word("cc", caseless=True) & ~_odd_letter.ahead(2)))
    .within(_CARD_WITHIN)
    .behind(_CARD_WITHIN)
)

_OTHER_THINGS = frozenset(
    """
    amount amt balance barcode bytes checksum count counter created cursor duration ean elapsed epoch etag event expires
    fax gtin hash height iccid id ids identifier idx imei imsi index invoice isbn isin issn latency length lsn mac
    micros millis mobile modified ms msisdn nanos nonce ns offset oid order orders phone pid port price qty quantity
    request revision rid seq sequence serial session sha size sku span ssn tax tel telephone tenant ticket tid
    time timestamp total trace tracking transaction ts txn tx upc updated uptime us user uuid guid vat version xid
    ordernumber orderid phonenumber spanid traceid trackingnumber userid requestid invoiceid seed rng random llvm
    """.split()  # noqa: SIM905 (a list would take a hundred lines)
)
_CARDS = frozenset(
    """
    card cards cardno cardnr cardnum cardnumber cc ccn ccno ccnum ccnumber creditcard creditcardnumber debitcard
    debitcardnumber pan panno pannumber primaryaccountnumber
    """.split()  # noqa: SIM905 (a list would take a hundred lines)
)
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
#: Parts of a system that deal with cards: their names say nothing of a number beside them.
_PARTS = (
    *("adapter", "api", "app", "backend", "client", "consumer", "controller", "daemon", "engine", "exporter"),
    *("frontend", "gateway", "handler", "issuing", "job", "listener", "logger", "manager", "microservice", "platform"),
    *("pod", "processing", "processor", "producer", "proxy", "publisher", "queue", "repository", "scheduler", "server"),
    *("service", "services", "subscriber", "svc", "topic", "worker"),
)
_SERVICES = frozenset(_PARTS)
_SERVICE = re.compile(
    rf"\b[A-Za-z]+(?:[-_.][A-Za-z]+){{0,2}}[-_. ](?:{'|'.join(_PARTS)})(?![A-Za-z])"
    rf"|\b[A-Za-z]+(?:{'|'.join(part.capitalize() for part in _PARTS)})(?![a-z])"
    r"|\bexp\((?!\d\d?/)"  # the exponential function
    r"""|\b(?:service|svc|app|application|component|logger|module|container|pod)["']?\s?[:=]\s?["']?[\w.-]+"""
)
_CUT_BEFORE, _CUT_AFTER = (
    re.compile(rb"\A(?:[A-Za-z0-9]+|.)", re.DOTALL),
    re.compile(rb"(?:[A-Za-z0-9]+|.)\Z", re.DOTALL),
)
REACH = 40  # bytes within which a neighbour counts
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_WITHIN = ("card", "credit", "debit", "exp", "cv", "track", "cc", "pan")
_SIGN = r"[^a-z0-9\x7f]{1,8}"
_EXPIRES = r"(?<![a-z])exp(?:iry|ires?|iration)?"
_CODE = r"(?<![a-z])(?:c[vs][cv]2?|cvn2?|cvd|security[ _-]?code)(?:[ _-]?(?:code|number|value))?"
# In small letters.
_BESIDE = re.compile(
    (
        rf"{_EXPIRES}(?:[ _-]?date)?{_SIGN}(?:0?[1-9]|1[0-2])\s?[/-]\s?(?:20)?[2-4]\d(?!\d)"
        rf"|{_EXPIRES}[ _-]?(?:month|mm){_SIGN}(?:0?[1-9]|1[0-2])(?!\d)"
        rf"|{_CODE}{_SIGN}\d{{3,4}}(?!\w|[.,]\d)"
    ).encode()
)


@lru_cache(maxsize=4096)
def key_says(key: str) -> bool | None:
    """Return whether a name says that its value is a card number, or that it is not; None where it says nothing."""
    words = frozenset(words_of(key))
    card = (bool(words & _CARDS) and not words & _SERVICES) or words in _CARD_NAMES
    other = bool(words & _OTHER_THINGS)
    return None if card == other else card


@lru_cache(maxsize=4096)
def name_says(name: bytes) -> bool | None:
    """Return the same of a name as it stands in a text."""
    return key_says(name.decode("ascii", "replace"))


def beside(data: bytes | bytearray, start: int, end: int) -> bool:
    """Whether an expiry date or a verification code stands close to a number: nothing else has those."""
    near = data[max(0, start - REACH) : end + REACH].lower()
    if b"exp" in near or b"cv" in near or b"csc" in near or b"security" in near:
        inner = end - max(0, start - REACH)
        if _BESIDE.search(near[:inner]) or _BESIDE.search(near, inner):
            return True
    expiry = EXPIRY.match(data, end)
    return expiry is not None and b"-" not in expiry[0]  # else it may be a day


def tells(data: bytes | bytearray, start: int, end: int) -> bool:
    """Whether words close to a number, or a date behind it, say that it is a card's."""
    if EXPIRY.match(data, end) is not None:
        return True
    # What the reach cuts through is another word: Tracking is no track, and discard no card.
    before = _CUT_BEFORE.sub(b"", data[max(0, start - REACH - 1) : start])
    after = _CUT_AFTER.sub(b"", data[end : end + REACH + 1])
    return say(b"%s\n%s" % (before, after))


def say(words: bytes) -> bool:
    """Whether some words speak of a card, and not only of a part of a system that deals with cards."""
    text = words.decode("latin-1")
    return _words_tell(text) and _words_tell(_SERVICE.sub(" ", text))


def _words_tell(text: str) -> bool:
    for token in _TOKEN.findall(text):
        low = token.lower()
        if low in _TELLING:
            return True
        if low != token and any(part in low for part in _WITHIN) and not _TELLING.isdisjoint(words_of(token)):
            return True
    return False
