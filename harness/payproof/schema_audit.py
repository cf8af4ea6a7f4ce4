"""Finds columns of a database that could hold payment data, by name and type: an empty place for it is a risk too.

Names are judged by their words, in any spelling (``cardNumber``, ``card_number``, ``CARDNUMBER``); what they say beside
that decides whether the data itself is meant (``card_number``) or something about it (``card_last4``, ``cvc_check``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from payproof.domain.finding import Confidence, Severity
from payproof.domain.observation import SuspectColumn
from payproof.domain.tables import Column
from payproof.scan.context import words_of

__all__ = ["audit_columns", "list_json_keys"]


@dataclass(frozen=True, slots=True)
class _Sort:
    what: str
    severity: Severity
    pattern: re.Pattern[str]
    confidence: Confidence = Confidence.HIGH


# What may stand behind the thing itself in its name: which one of several, or in which form.
_FORMS = (
    "plain|clear|text|plaintext|cleartext|raw|full|value|values|data|enc|encrypted|cipher|ciphertext|encoded|b64|hex|"
    "str|string|bytes|blob|json|old|new|orig|original|copy|backup|bak|tmp|temp|input|field|column|col|s|[a-z]|[0-9]{1,2}"
)


def _sort(what: str, severity: Severity, *names: str, confidence: Confidence = Confidence.HIGH) -> _Sort:
    """Return a sort whose things have these names; a name that goes on otherwise is of something about them."""
    pattern = re.compile(f"(?:^|_)(?:{'|'.join(names)})s?(?:_(?:{_FORMS}))*$")
    return _Sort(what, severity, pattern, confidence)


# Of names as words with an underscore between them. The first that fits counts.
_SORTS = (
    _sort(
        "card verification code, never to be kept after authorisation (PCI DSS 3.3.1.2)",
        Severity.CRITICAL,
        "c_?v_?[cvnd]2?(?:_?(?:code|number|num|value))?",
        "csc(?:_?code)?",
        "cav2",
        "card_?(?:security|verification)_?(?:code|number|value)",
        "security_?code",
    ),
    _sort(
        "PIN, never to be kept after authorisation (PCI DSS 3.3.1.3)",
        Severity.CRITICAL,
        "pin(?:_?(?:block|code|number))?",
    ),
    _sort(
        "track data, never to be kept after authorisation (PCI DSS 3.3.1.1)",
        Severity.CRITICAL,
        "track_?[12]?_?data",
        "track_?[12]",
        "mag_?stripe",
        "magnetic_?stripe",
    ),
    _sort(
        "card number, to be unreadable wherever it is kept (PCI DSS 3.5.1)",
        Severity.HIGH,
        "pan",
        "primary_?account_?number",
        "(?:credit|debit|payment|bank)?_?card_?(?:number|num|no|nr|pan)",
        "cc_?(?:number|num|no|nr)",
        "(?:credit|debit)_?card",
        "full_?(?:card|pan)",
    ),
    _sort("IBAN", Severity.MEDIUM, "iban"),
    _sort(
        "bank account number",
        Severity.MEDIUM,
        "bank_?(?:account|acct)_?(?:number|num|no)?",
        "(?:account|acct)_?(?:number|num|no)",
        confidence=Confidence.MEDIUM,
    ),
    _sort(
        "secret of Stripe's",
        Severity.HIGH,
        "client_?secret",
        "(?:stripe|webhook|endpoint|signing)_?secret(?:_?key)?",
        "stripe_?(?:api_?)?key",
    ),
)

# Words that make a name say something about the data, not the data.
_ABOUT = frozenset(
    """
    last four last4 first brand network scheme type kind country funding issuer expiry exp expires expiration month year
    id ids token fingerprint masked status state result check checked checks match matched verified present provided
    required failed failures attempts count limit name holder at on is has updated changed bin iin prefix suffix digits
    hash digest hmac enabled allowed message error reset tries used set supported accepts accepted requires
    """.split()  # noqa: SIM905 (a list of them would be a line each)
)

_DIGITS_OF_A_CARD = range(13, 20)
_SHAPE = re.compile(
    r"\b(?:n?var)?char2?|\b(?:national\s+)?char(?:acter)?(?:\s+varying)?|\btext|\bnchar|\bnumeric|\bdecimal|\bnumber",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"\s*\((\d+)(?:\s*,\s*0)?(?:\s+(?:char|byte))?\)", re.IGNORECASE)
_LEAST_OF_A_PAYLOAD = 256  # characters; fewer are a reference to one
_CARD_NAMES = frozenset({"card", "cards", "number", "account", "payment"})
_PAYLOADS = re.compile(
    rf"(?:^|_)(?:raw|payload|body|request|response|event_data|dump)s?(?:_(?:{_FORMS}|body|payload|content|event|object))*$"
)
_HOLDS_TEXT = re.compile(
    r"\b(?:json|jsonb|(?:tiny|medium|long)?(?:text|blob)|n?clob|bytea|xml|hstore|string|"
    r"(?:n?var)?char2?|char(?:acter)?(?:\s+varying)?|(?:var)?binary|citext)\b",
    re.IGNORECASE,
)


def audit_columns(columns: Iterable[Column], keys: Iterable[Column] = ()) -> Iterator[SuspectColumn]:
    """Yield each column and JSON key that could hold payment data.

    Args:
        columns: what the database declares.
        keys: keys that were seen in values, as columns with dotted names and the type ``json``.
    """
    for column in (*columns, *keys):
        found = _judge_column(column)
        if found is not None:
            yield SuspectColumn(column.table, column.name, *found)


def _judge_column(column: Column) -> tuple[str, str, Severity, Confidence] | None:
    last = column.name.rpartition(".")[2]
    spelled, words = _normalize_name(last), frozenset(words_of(last))
    for sort in _SORTS:
        # Of a JSON key the one above it counts, too: card.number.
        for name in (spelled, _normalize_name(".".join(column.name.rsplit(".", 2)[-2:]))):
            if sort.pattern.search(name) and not words & _ABOUT and _may_hold(column.type):
                return sort.what, "its name", sort.severity, sort.confidence
    length = _read_length(column.type)
    if length in _DIGITS_OF_A_CARD and _SHAPE.match(column.type) and not words & _ABOUT:
        sure = Confidence.MEDIUM if words & _CARD_NAMES else Confidence.LOW
        return "perhaps card numbers", f"its type {column.type}, as long as a card number", Severity.MEDIUM, sure
    whole = _HOLDS_TEXT.search(column.type) and (length is None or length >= _LEAST_OF_A_PAYLOAD)
    if whole and _PAYLOADS.search(spelled):
        return "whole payloads, with whatever is in them", "its name and type", Severity.LOW, Confidence.LOW
    return None


def _read_length(type_: str) -> int | None:
    """Return how many characters or digits a type holds; None where it does not say."""
    length = _LENGTH.search(type_)
    return int(length[1]) if length else None


def _may_hold(type_: str) -> bool:
    """Whether a type could hold the data; of booleans and times a name says only when or whether."""
    return re.match(r"bool|date|time|interval", type_, re.IGNORECASE) is None


def _normalize_name(name: str) -> str:
    """Return a name in small letters with underscores, its digits kept."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def list_json_keys(value: object, levels: int = 8) -> Iterator[str]:
    """Yield the dotted path of each key in a value of JSON, lists passed through, down to so many levels."""
    if levels and isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from (f"{key}.{path}" for path in list_json_keys(inner, levels - 1))
    elif levels and isinstance(value, list):
        for inner in value:
            yield from list_json_keys(inner, levels - 1)
