"""Findings about what a target has decided on a delivery: one cause has one kind, whichever check has seen it."""

from collections.abc import Sequence

from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, StoreChange, TableChange
from payproof.domain.spots import spot_of_answer, spot_of_column, spot_of_route

__all__ = ["SERVER_ERRORS", "finding_of_change", "finding_of_forgery", "finding_of_genuine"]

#: The check whose rule a failure of the target breaks, whatever was asked.
SERVER_ERRORS = "no_server_error"

_SUCCESS = range(200, 300)
_FAILURE = 500
_TOO_LARGE = 413
_GENUINE = frozenset({"", "valid"})


def finding_of_forgery(
    check: str, expected: str, told: str, exchange: Exchange, other: Kind = Kind.FORGERY_MISTOLD
) -> Finding:
    """Return the finding of an answer that does not refuse as it should: it accepts, it fails, or it says ``other``."""
    answer = exchange.answer
    status = answer.status if isinstance(answer, Answer) else 0
    spot = spot_of_answer(exchange)
    if status >= _FAILURE:
        kind, of_check = Kind.SERVER_ERROR, SERVER_ERRORS
        return Finding(check, expected, told, exchange.step, kind=kind, spot=spot, of_check=of_check)
    kind = Kind.FORGERY_ACCEPTED if status in _SUCCESS else other
    return Finding(check, expected, told, exchange.step, kind=kind, spot=spot)


def finding_of_genuine(check: str, expected: str, told: str, exchange: Exchange) -> Finding:
    """Return the finding of a genuine delivery that was not accepted, or of what it lacks for that."""
    status = exchange.answer.status if isinstance(exchange.answer, Answer) else 0
    kind = Kind.GENUINE_FAILED if status >= _FAILURE else Kind.GENUINE_REFUSED
    if status == _TOO_LARGE:
        kind = Kind.GENUINE_TOO_LARGE
    return Finding(check, expected, told, exchange.step, kind=kind, spot=spot_of_answer(exchange))


def finding_of_change(
    check: str, expected: str, change: StoreChange, table: TableChange, exchanges: Sequence[Exchange], more: str = ""
) -> Finding:
    """Return the finding of a change that should not be: by a forgery, by what was refused, or a second one."""
    told = table.describe(change.source) + more
    mine = [one for one in exchanges if one.step == change.step and one.sent.role != "nowhere"]
    accepted = [one for one in mine if one.is_accepted]
    kind, spot = Kind.FORGERY_APPLIED, spot_of_column(change.source)
    if accepted and all(one.sent.variant in _GENUINE for one in accepted):
        kind = Kind.APPLIED_TWICE
    elif accepted:
        # Stripe's deliveries are POST: another request beside them changes nothing by itself.
        taker = next((one for one in accepted if one.sent.method == "POST"), accepted[0])
        kind, spot = Kind.FORGERY_ACCEPTED, spot_of_answer(taker)
    elif mine:
        spot = spot_of_route(mine[0])
    what = f"table {table.table} of {change.source} changed"
    return Finding(check, expected, told, change.step, what=what, kind=kind, spot=spot)
