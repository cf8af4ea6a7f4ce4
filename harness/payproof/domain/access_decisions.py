"""What a target has decided on somebody who may not do what they ask for; pure, for checks and for the table."""

import json

from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import REDIRECTS, Answer, Exchange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.domain.target import Contract

__all__ = ["find_callers", "finding_of_access", "is_done", "tell_wrong_refusal"]

_SUCCESS = range(200, 300)
_REFUSALS = frozenset(range(400, 500)) | REDIRECTS
_FAILURE = 500
_ERRORS = frozenset({"error", "errors"})


def is_done(answer: Answer) -> bool:
    """Whether an answer says that what was asked for is done; a page, or an error under another status, does not."""
    if answer.status not in _SUCCESS:
        return False
    if "html" in (answer.header("content-type") or ""):
        return False
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        return True
    return not (isinstance(content, dict) and _ERRORS & content.keys())


def tell_wrong_refusal(contract: Contract, exchange: Exchange) -> Kind | None:
    """Return what is wrong with the answer to who may not ask; None for a refusal, and where there is no answer."""
    asking, answer = exchange.sent.asking, exchange.answer
    if asking is None or asking.promise == "allowed" or not isinstance(answer, Answer):
        return None
    promised = contract.access.statuses(asking.promise)
    if answer.status >= _FAILURE:
        return Kind.SERVER_ERROR
    if is_done(answer):
        return Kind.ACCESS_GRANTED
    if answer.status in promised or (not promised and answer.status in _REFUSALS):
        return None
    # Without a promise a page with 200 is a refusal too, as long as nothing is done.
    return Kind.ACCESS_MISTOLD if promised else None


def finding_of_access(check: str, expected: str, told: str, exchange: Exchange, kind: Kind) -> Finding:
    """Return the finding of what somebody got who may not ask for it: one for each route, whichever check saw it."""
    who = f" to {exchange.sent.asking.actor}" if exchange.sent.asking is not None else ""
    return Finding(check, expected, told + who, exchange.step, kind=kind, spot=spot_of_route(exchange))


def find_callers(seen: Seen, step: int) -> list[Exchange]:
    """Return the requests of a step while which calls to Stripe came, each as often as that, in order."""
    before, found = 0, list[Exchange]()
    for exchange in seen.exchanges:
        if exchange.step == step:
            found += [exchange] * max(0, exchange.called - before)
        before = max(before, exchange.called)
    return found
