"""How grave each kind of finding is, what it is called, and what it says more than another kind in the same spot.

Severity belongs to the problem: to what was seen, and where. A kind without one is as grave as the rule that it breaks,
as the scenario file says. docs/problems.md shows this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.domain.channel import Channel
from payproof.domain.finding import Severity
from payproof.domain.kind import Kind

__all__ = ["KIND_TABLE", "KindEntry"]

_LOW, _MEDIUM, _HIGH, _CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL


@dataclass(frozen=True, slots=True)
class KindEntry:
    """A kind's title, its severity (None: the rule's), and the group in which the gravest of a spot stands for all.

    ``by_channel`` are titles for some channels; where a title holds ``{}`` that is where the data stands, in words.
    """

    title: str
    severity: Severity | None = None
    group: str = ""
    by_channel: Mapping[Channel, Severity] = field(default_factory=dict)

    def name_in(self, channel: Channel) -> str:
        """Return the title for a channel."""
        return self.title.format(_WHERE[channel])

    def severity_in(self, channel: Channel) -> Severity | None:
        """Return the severity for a channel."""
        return self.by_channel.get(channel, self.severity)


_WHERE: Mapping[Channel, str] = {
    Channel.ENTITLEMENT: "shown",
    Channel.FILE: "kept in files",
    Channel.HTTP: "shown by answers",
    Channel.LOG: "written to the log",
    Channel.PROCESS: "told at the start",
    Channel.STORE: "kept",
    Channel.STRIPE: "sent to Stripe",
}

#: Kinds of one group in one spot have one cause: the gravest stands for the others, and of those that are no graver
#: than medium the first in this table.
_DATA, _TOLD, _DECISION = "data", "told", "decision"

KIND_TABLE: Mapping[str, KindEntry] = {
    Kind.FORGERY_ACCEPTED: KindEntry("Forged deliveries are accepted", group=_DECISION),
    Kind.FORGERY_APPLIED: KindEntry("Refused deliveries are applied all the same", _CRITICAL, group=_DECISION),
    Kind.FORGERY_MISTOLD: KindEntry("Refusals have another status than the contract says", _LOW, group=_DECISION),
    Kind.REFUSAL_UNRECORDED: KindEntry("Refusals leave no record", _MEDIUM),
    Kind.REFUSAL_RECORD_POOR: KindEntry("Records of refusals lack a field", _MEDIUM),
    Kind.GENUINE_REFUSED: KindEntry("Genuine deliveries are refused", _HIGH),
    Kind.GENUINE_FAILED: KindEntry("Genuine deliveries fail", _HIGH),
    Kind.GENUINE_TOO_LARGE: KindEntry("Genuine deliveries are refused for their size", _HIGH),
    Kind.EFFECT_MISSING: KindEntry("Deliveries are accepted and have no effect", _HIGH),
    Kind.APPLIED_TWICE: KindEntry("An event is applied more than once", _HIGH),
    Kind.EFFECT_LESSENED: KindEntry("Events in the shape of another API version lose a part of their effect", _MEDIUM),
    Kind.FOREIGN_ROW: KindEntry("An event about a stranger changes what belongs to somebody else", _CRITICAL),
    Kind.EFFECT_UNASKED: KindEntry("An event that the service does not know has an effect", _MEDIUM),
    Kind.STALE_STATE: KindEntry("An older event overwrites a newer state", _HIGH),
    Kind.OTHER_STATE: KindEntry("The state is another than at Stripe", _HIGH),
    Kind.UNDECIDED: KindEntry("Odd deliveries are neither taken nor refused", _MEDIUM),
    Kind.DECISION_CHANGED: KindEntry("The same delivery is decided otherwise the next time", _HIGH),
    Kind.FOREIGN_APPLIED: KindEntry("Events of another account or mode change one's own objects"),
    Kind.GRANTED_WRONGLY: KindEntry("What was not paid for is granted"),
    Kind.NOT_TAKEN_BACK: KindEntry("Refunds or disputes change nothing"),
    Kind.NOT_GRANTED: KindEntry("What was paid for is not granted", _HIGH),
    Kind.STARTED_UNSAFE: KindEntry("The service starts without what keeps it safe"),
    Kind.ACCESS_GRANTED: KindEntry("Operations are done for whoever may not ask for them", _CRITICAL, group=_DECISION),
    Kind.ACCESS_MISTOLD: KindEntry("Access is refused with another status than the contract says", _LOW, _DECISION),
    Kind.EXISTENCE_TOLD: KindEntry("Refusals tell which ids of other tenants there are", _LOW),
    Kind.LOCKOUT_MISSING: KindEntry("Whoever guesses a credential is not locked out", _HIGH),
    Kind.LOCKOUT_SPREADS: KindEntry("Whoever guesses locks others out than the contract says", _MEDIUM),
    Kind.LOCKOUT_WEAK: KindEntry("The lockout that the contract promises is too weak", _MEDIUM),
    Kind.VALUE_ASSIGNED: KindEntry("Fields of a request set what is not the sender's to set", _HIGH),
    Kind.INVALID_ACCEPTED: KindEntry("Invalid input is accepted", _MEDIUM),
    Kind.CARD_ACCEPTED: KindEntry("Requests with card data are not refused", _LOW),
    Kind.METHOD_EFFECT: KindEntry("Requests of other methods than POST have an effect", _CRITICAL),
    Kind.REQUEST_TRACED: KindEntry("TRACE sends a request back with its headers", _MEDIUM),
    Kind.FILE_SHOWN: KindEntry("Files and pages of the machine are shown", _HIGH),
    Kind.CRASH: KindEntry("A request ends the service", _CRITICAL),
    Kind.SERVER_ERROR: KindEntry("Requests make the service fail", _MEDIUM),
    Kind.SLOW: KindEntry("Answers take too long", _MEDIUM),
    Kind.CUT_OFF: KindEntry("Connections are closed without an answer", _MEDIUM),
    Kind.MEMORY: KindEntry("Memory grows with the body of a request", _MEDIUM),
    Kind.FAILURE_MISTOLD: KindEntry("A failure at Stripe is told as something else", _MEDIUM),
    Kind.LOST_AFTER_FAILURE: KindEntry("What was promised is lost after a failure", _HIGH),
    Kind.REFERENCE_MISSING: KindEntry("Errors have no reference that leads to the log", _LOW),
    Kind.CALL_MISSING: KindEntry("Stripe is not called", _MEDIUM),
    Kind.CALLS_TOO_MANY: KindEntry("Stripe is called again and again", _MEDIUM),
    Kind.RETRY_MISSING: KindEntry("A call that failed is not repeated", _MEDIUM),
    Kind.RETRY_TOO_SOON: KindEntry("A call is repeated without a wait", _LOW),
    Kind.RETRY_OF_DECLINE: KindEntry("What Stripe has declined or refused is asked again", _MEDIUM),
    Kind.KEY_MISSING: KindEntry("Repeated calls do not share one Idempotency-Key", _HIGH),
    Kind.DONE_TWICE: KindEntry("One operation is done more than once at Stripe", _CRITICAL),
    Kind.PROMISE_BROKEN: KindEntry("What was promised is not done at Stripe", _HIGH),
    Kind.CALL_ELSEWHERE: KindEntry("Events lead calls to Stripe to another host", _CRITICAL),
    Kind.REDIRECT_FOLLOWED: KindEntry("Redirects lead calls to Stripe to another host", _CRITICAL),
    Kind.CONNECTION_UNSAFE: KindEntry("Stripe is called on an unsafe connection", _CRITICAL),
    Kind.CONNECTION_UNTRIED: KindEntry("Nothing was tried on the connection", _MEDIUM),
    Kind.CARD_DATA: KindEntry("Card data is {}", _CRITICAL, _DATA),
    Kind.CARD_PARTS: KindEntry("Two parts of one card number are {}", _HIGH, _DATA),
    Kind.CARD_FACTS: KindEntry("Facts of a card are {}", _MEDIUM, _DATA),
    Kind.BANK_DATA: KindEntry("Bank accounts are {}", _HIGH, _DATA),
    Kind.SECRET: KindEntry("Secrets are {}", _CRITICAL, _DATA),
    Kind.SIGNATURE: KindEntry("Signatures are {}", _MEDIUM, _DATA),
    Kind.PERSONAL_DATA: KindEntry("Personal data is {}", _MEDIUM, _DATA),
    Kind.OTHER_DATA: KindEntry("Sensitive values are {}", _HIGH, _DATA),
    Kind.REFUSED_TEXT: KindEntry("Text of refused requests is {}", _MEDIUM, _DATA),
    Kind.TYPED_DATA: KindEntry("Payment data that somebody types into a text is {}", _MEDIUM, _DATA),
    Kind.DIGEST: KindEntry("Digests of card data without a key are {}", _HIGH, _DATA),
    Kind.PAYMENT_COLUMN: KindEntry("A column could hold payment data", _MEDIUM, _DATA),
    Kind.KEPT_TOO_LONG: KindEntry("Rows are kept longer than the contract says", _MEDIUM),
    Kind.REMOVED_TOO_SOON: KindEntry("Rows are removed before their time", _HIGH),
    Kind.NOT_AS_DESCRIBED: KindEntry("The table is not as the contract describes it", _MEDIUM),
    Kind.DECLINE_CODE: KindEntry("Answers tell the reason of a decline", _HIGH),
    Kind.SDK_TEXT: KindEntry(
        "Text of Stripe or its SDK is {}", _MEDIUM, _TOLD, {Channel.STORE: _LOW, Channel.LOG: _LOW}
    ),
    Kind.SQL_ERROR: KindEntry("Errors of the database are shown", _MEDIUM, _TOLD),
    Kind.STACK_TRACE: KindEntry("Stack traces are shown", _MEDIUM, _TOLD),
    Kind.DEBUG_PAGE: KindEntry("Pages for developers are shown", _HIGH, _TOLD),
    Kind.ENVIRONMENT: KindEntry("The environment of the process is shown", _CRITICAL, _TOLD),
    Kind.FILE_PATH: KindEntry("Paths of the machine are shown", _LOW, _TOLD),
    Kind.INTERNAL_ADDRESS: KindEntry("Internal addresses are shown", _LOW, _TOLD),
    Kind.SERVER_VERSION: KindEntry("Versions of the server's software are shown", _LOW, _TOLD),
    Kind.ECHO: KindEntry("Errors say a request back", _MEDIUM, _TOLD),
    Kind.TEMPLATE_RUN: KindEntry("Input is run as a template", _CRITICAL, _TOLD),
    Kind.CAUSE_TOLD: KindEntry("Answers tell why a request was refused", _MEDIUM, _TOLD),
}
