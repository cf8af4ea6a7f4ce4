from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_genuine
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Accepted"]


_SUCCESS = range(200, 300)
_REFUSAL = range(400, 500)
_LATER = range(503, 504)  # Stripe comes again, which is right where an event is ahead of others


@check
@dataclass(frozen=True, slots=True)
class Accepted(Check):
    """Every delivery was answered 2xx, which tells Stripe not to send it again.

    A type that the target does not handle may be refused, unless the contract promises that it is not: Stripe sends an
    endpoint only the types that its owner has chosen.
    """

    name: ClassVar[str] = "accepted"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other status."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                allowed = _allow(seen, exchange)
                if not any(exchange.answer.status in statuses for statuses in allowed.values()):
                    expected = f"a status of {' or '.join(allowed)}"
                    yield finding_of_genuine(self.name, expected, f"status {exchange.answer.status}", exchange)

    def note(self, seen: Seen) -> str:
        """Tell of a type that the target refuses, as it does not handle it."""
        refused = sorted(
            {
                f"{one.sent.event} ({one.answer.status})"
                for one in seen.exchanges
                if isinstance(one.answer, Answer) and one.answer.status not in _SUCCESS and len(_allow(seen, one)) > 1
            }
        )
        return f"refused, as the target does not handle it: {', '.join(refused)}" if refused else ""


def _allow(seen: Seen, exchange: Exchange) -> dict[str, range]:
    """Return the statuses that a delivery may be answered with, by how they are told."""
    contract, type_ = seen.contract, exchange.sent.event
    if not type_ or contract.is_handled(type_) or contract.ignores == "2xx":
        return {"200 to 299": _SUCCESS}
    if contract.ignores == "4xx":
        return {"400 to 499": _REFUSAL}
    return {"200 to 299": _SUCCESS, "400 to 499": _REFUSAL, "503": _LATER}
