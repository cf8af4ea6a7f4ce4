from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.access_decisions import finding_of_access, is_done
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.registry import check

__all__ = ["LockedOut"]

_MOST_ATTEMPTS, _FEWEST_SECONDS = 10, 1800  # PCI DSS 8.3.4


@check
@dataclass(frozen=True, slots=True)
class LockedOut(Check):
    """Wrong credentials were refused, and after as many as the contract says the right one too (PCI DSS 8.3.4).

    From elsewhere the right one did what the contract says of that. A promise of more than 10 attempts or of less than
    30 minutes is a finding itself. That the lockout lasts as long as promised is not waited for.
    """

    name: ClassVar[str] = "locked_out"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each answer that is not as promised, and for a promise that is too weak."""
        for exchange in seen.exchanges:
            asking, answer = exchange.sent.asking, exchange.answer
            if asking is None or not isinstance(answer, Answer):
                continue
            done, told = is_done(answer), f"status {answer.status} to {exchange.sent.note}"
            if asking.promise == "allowed" and not done:
                yield self._finding("the right credential let in, as promised", told, exchange, Kind.LOCKOUT_SPREADS)
            elif asking.promise == "unknown" and done:
                if exchange.sent.note.startswith("wrong"):
                    told = f"status {answer.status}"
                    yield finding_of_access(self.name, "a refusal", told, exchange, Kind.ACCESS_GRANTED)
                else:
                    yield self._finding("nobody let in after the guesses", told, exchange, Kind.LOCKOUT_MISSING)
        yield from self._judge_promise(seen)

    def _judge_promise(self, seen: Seen) -> Iterator[Finding]:
        lockout, asked = seen.contract.lockout, [one for one in seen.exchanges if one.sent.asking is not None]
        if lockout is None or not asked:
            return
        if lockout.attempts > _MOST_ATTEMPTS or lockout.seconds < _FEWEST_SECONDS:
            expected = f"at most {_MOST_ATTEMPTS} attempts, then at least {_FEWEST_SECONDS} s"
            told = f"the contract promises {lockout.attempts} attempts, then {lockout.seconds:g} s"
            yield self._finding(expected, told, asked[0], Kind.LOCKOUT_WEAK)

    def _finding(self, expected: str, told: str, exchange: Exchange, kind: Kind) -> Finding:
        return Finding(self.name, expected, told, exchange.step, kind=kind, spot=spot_of_route(exchange))

    def note(self, seen: Seen) -> str:
        """Tell how long the lockout is to last, which nobody waited for."""
        lockout = seen.contract.lockout
        return "" if lockout is None else f"not waited for: the {lockout.seconds:g} s that the lockout is to last"
