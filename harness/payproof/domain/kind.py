"""The kinds of what is found: a few words each that stay the same, as baselines and waivers rest on them.

A check gives each of its findings one. A check of another distribution may bring kinds of its own: the report then
takes the title, the severity and no remedy but the rule's.
"""

import re
from enum import StrEnum

from payproof.domain.sensitive import PERSONAL

__all__ = ["OFFERED", "Kind", "name_kind"]

#: How the label of a value begins that the run has offered, before the input.
OFFERED = "offered in"


class Kind(StrEnum):
    """What was seen, as far as it decides how grave it is and how it is mended."""

    # What becomes of deliveries.
    FORGERY_ACCEPTED = "forged delivery accepted"
    FORGERY_APPLIED = "refused delivery applied"
    FORGERY_MISTOLD = "refusal with another status"
    CAUSE_TOLD = "cause of a refusal told"
    REFUSAL_UNRECORDED = "refusal not recorded"
    REFUSAL_RECORD_POOR = "record of a refusal incomplete"
    GENUINE_REFUSED = "genuine delivery refused"
    GENUINE_FAILED = "genuine delivery failed"
    GENUINE_TOO_LARGE = "genuine delivery too large"
    EFFECT_MISSING = "accepted without effect"
    APPLIED_TWICE = "applied twice"
    EFFECT_LESSENED = "less kept of another API version"
    FOREIGN_ROW = "row of somebody else changed"
    EFFECT_UNASKED = "effect of what asks for none"
    STALE_STATE = "older state wins"
    OTHER_STATE = "another state than at Stripe"
    UNDECIDED = "neither taken nor refused"
    DECISION_CHANGED = "decided otherwise the next time"
    FOREIGN_APPLIED = "event of others applied"
    GRANTED_WRONGLY = "granted without payment"
    NOT_TAKEN_BACK = "paid back and not taken back"
    NOT_GRANTED = "paid for and not granted"
    STARTED_UNSAFE = "started without what it needs"
    # Who may do what, and what is taken of them.
    ACCESS_GRANTED = "done without the right to it"
    ACCESS_MISTOLD = "access refused with another status"
    EXISTENCE_TOLD = "another tenant's told from what is not there"
    LOCKOUT_MISSING = "guessing never locked out"
    LOCKOUT_SPREADS = "lockout shuts out others"
    LOCKOUT_WEAK = "lockout promised too weak"
    VALUE_ASSIGNED = "value set that is not the sender's to set"
    INVALID_ACCEPTED = "invalid input accepted"
    CARD_ACCEPTED = "card data not refused"
    METHOD_EFFECT = "effect by another method"
    REQUEST_TRACED = "request sent back by TRACE"
    FILE_SHOWN = "file or page of the machine shown"
    # What the target does when something fails.
    CRASH = "target gone"
    SERVER_ERROR = "server error"
    SLOW = "no answer in time"
    CUT_OFF = "connection closed without an answer"
    MEMORY = "memory grows with the body"
    FAILURE_MISTOLD = "failure told as something else"
    LOST_AFTER_FAILURE = "lost after a failure"
    REFERENCE_MISSING = "no reference to the log"
    # What it asks Stripe.
    CALL_MISSING = "no call to Stripe"
    CALLS_TOO_MANY = "too many calls to Stripe"
    RETRY_MISSING = "call not repeated"
    RETRY_TOO_SOON = "call repeated too soon"
    RETRY_OF_DECLINE = "declined or refused call repeated"
    KEY_MISSING = "repeated without one Idempotency-Key"
    DONE_TWICE = "done twice at Stripe"
    PROMISE_BROKEN = "promised and not done"
    CALL_ELSEWHERE = "call to a host that an event names"
    REDIRECT_FOLLOWED = "redirect to another host followed"
    CONNECTION_UNSAFE = "call on an unsafe connection"
    CONNECTION_UNTRIED = "no connection tried"
    # Data where it must not be.
    CARD_DATA = "card data"
    CARD_PARTS = "parts of card numbers"
    CARD_FACTS = "facts of a card"
    BANK_DATA = "bank account"
    SECRET = "secret"  # noqa: S105 (the name of a kind)
    SIGNATURE = "signature"
    PERSONAL_DATA = "personal data"
    OTHER_DATA = "sensitive value"
    REFUSED_TEXT = "text of a refused request"
    TYPED_DATA = "payment data typed into a text"
    DIGEST = "digest without a key"
    PAYMENT_COLUMN = "column for payment data"
    KEPT_TOO_LONG = "kept too long"
    REMOVED_TOO_SOON = "removed too soon"
    NOT_AS_DESCRIBED = "not as the contract describes"
    # What an answer tells.
    DECLINE_CODE = "decline code"
    SDK_TEXT = "text of Stripe or its SDK"
    SQL_ERROR = "database error"
    STACK_TRACE = "stack trace"
    DEBUG_PAGE = "page for developers"
    ENVIRONMENT = "environment of the process"
    FILE_PATH = "path of the machine"
    INTERNAL_ADDRESS = "internal address"
    SERVER_VERSION = "version of the server"
    ECHO = "request said back"
    TEMPLATE_RUN = "input run as a template"


#: The inputs in which a person may type anything, as the step ``offer`` names them; the others are those of a card.
_TYPED = re.compile(rf"{OFFERED} (?!card details)")
_OFFERED = frozenset({Kind.BANK_DATA, Kind.CARD_DATA, Kind.PERSONAL_DATA, Kind.SECRET})

_KINDS: dict[str, Kind] = {
    # The detectors, by their names.
    "client_secret": Kind.SECRET,
    "cvc": Kind.CARD_DATA,
    "debug_page": Kind.DEBUG_PAGE,
    "dsn_password": Kind.SECRET,
    "environment_dump": Kind.ENVIRONMENT,
    "filesystem_path": Kind.FILE_PATH,
    "graphql_trace": Kind.STACK_TRACE,
    "iban": Kind.BANK_DATA,
    "input_echo": Kind.ECHO,
    "internal_address": Kind.INTERNAL_ADDRESS,
    "jwt": Kind.SECRET,
    "pan": Kind.CARD_DATA,
    "pin": Kind.CARD_DATA,
    "private_key": Kind.SECRET,
    "server_version": Kind.SERVER_VERSION,
    "sql_error": Kind.SQL_ERROR,
    "stack_trace": Kind.STACK_TRACE,
    "stripe_error": Kind.SDK_TEXT,
    "stripe_secret": Kind.SECRET,
    "track_data": Kind.CARD_DATA,
    "us_bank_account": Kind.BANK_DATA,
    # What a run makes up and looks for, and what it must keep secret.
    **dict.fromkeys(PERSONAL, Kind.PERSONAL_DATA),
    "IBAN": Kind.BANK_DATA,
    "Stripe error": Kind.SDK_TEXT,
    "card number": Kind.CARD_DATA,
    "configured secret": Kind.SECRET,
    "fingerprint": Kind.CARD_FACTS,
    "issuer": Kind.CARD_FACTS,
    "refused text": Kind.REFUSED_TEXT,
    "secret": Kind.SECRET,
    "signature": Kind.SIGNATURE,
    "template": Kind.TEMPLATE_RUN,
    "track data": Kind.CARD_DATA,
}


def name_kind(sort: str, label: str = "") -> Kind:
    """Return the kind of a detector's hit, or of a value of the run's own, by what that is called.

    ``label`` tells where such a value was offered: what somebody types where it does not belong is kept by keeping the
    text, and that is another thing than to keep what Stripe tells of a card.
    """
    kind = _KINDS.get(sort, Kind.OTHER_DATA)
    return Kind.TYPED_DATA if kind in _OFFERED and _TYPED.match(label) else kind
