from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.access_decisions import finding_of_access, tell_wrong_refusal
from payproof.domain.check import Check
from payproof.domain.decisions import SERVER_ERRORS
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_answer
from payproof.registry import check

__all__ = ["Refused"]

_UNKNOWN = 401


@check
@dataclass(frozen=True, slots=True)
class Refused(Check):
    """Who may not ask was refused, with a status that the contract lists for that, where it lists any.

    Without such a list any status from 400 to 499 is a refusal, and so are a redirect and a page: they say that nothing
    was done. Whether that is true is for ``not_called`` and ``no_row_changed`` to say.
    """

    name: ClassVar[str] = "refused"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True
    wants: ClassVar[tuple[str, ...]] = ("[contract.access]",)

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other answer."""
        for exchange in seen.exchanges:
            kind, asking = tell_wrong_refusal(seen.contract, exchange), exchange.sent.asking
            if kind is None or asking is None or not isinstance(exchange.answer, Answer):
                continue
            statuses = seen.contract.access.statuses(asking.promise)
            promised = f" with status {' or '.join(map(str, sorted(statuses)))}" if statuses else ""
            expected, told = f"a refusal{promised}", f"status {exchange.answer.status}"
            if kind is Kind.SERVER_ERROR:
                spot = spot_of_answer(exchange)
                yield Finding(self.name, expected, told, exchange.step, kind=kind, spot=spot, of_check=SERVER_ERRORS)
            else:
                yield finding_of_access(self.name, expected, told, exchange, kind)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of who should be known and is answered as if they were not: what is refused then is no role."""
        for exchange in seen.exchanges:
            asking, answer = exchange.sent.asking, exchange.answer
            known = asking is not None and asking.promise == "forbidden" and not seen.contract.access.forbidden
            if known and isinstance(answer, Answer) and answer.status == _UNKNOWN:
                assert asking is not None
                yield (
                    f"{asking.actor} is answered 401 as if the credential were wrong: see its credential_env, or say "
                    "forbidden = [401] in [contract.access]"
                )
                return
