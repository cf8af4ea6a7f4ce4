from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_change
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, Exchange, StoreChange
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["NotTaken"]

_TAKEN = range(200, 400)
_SHOWN = 3


@check
@dataclass(frozen=True, slots=True)
class NotTaken(Check):
    """Nothing came of a forged delivery: no table changed that a genuine delivery changes.

    The stores decide, not the status: another place may be the webhook of somebody else, which refuses in its own way,
    or a page that answers everything. Without a store, an answer below 400 cannot be judged.
    """

    name: ClassVar[str] = "not_taken"
    wants: ClassVar[tuple[str, ...]] = ("[[stores]]",)
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which an effect shows."""
        changed = [one for one in seen.control if isinstance(one, StoreChange)]
        usual = {(one.source, table.table) for one in changed for table in one.tables if not table.rejection_log}
        for change in seen.changes:
            for table in change.tables:
                if (change.source, table.table) in usual:
                    told = f"; {_describe_takers(seen, change.step)}"
                    takers = [one for one in _takers(seen) if one.step == change.step]
                    among = takers if len(takers) == 1 else seen.exchanges
                    expected = "no effect of a forged delivery"
                    yield finding_of_change(self.name, expected, change, table, among, told)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of answers that may have taken a delivery, where no store says whether they did."""
        watched = {change.step for change in seen.changes}
        taken = [one for one in _takers(seen) if one.step not in watched]
        if taken:
            yield f"{len(taken)} forged deliveries were not refused, and no store shows whether they were taken"

    def note(self, seen: Seen) -> str:
        """Tell how many deliveries were not refused, if any."""
        number = len([*_takers(seen)])
        return f"{number} of {len(seen.exchanges)} deliveries were not refused, and changed nothing" if number else ""


def _takers(seen: Seen) -> Iterator[Exchange]:
    for one in seen.exchanges:
        if one.sent.method == "POST" and isinstance(one.answer, Answer) and one.answer.status in _TAKEN:
            yield one


def _describe_takers(seen: Seen, step: int) -> str:
    found = [
        f"{one.sent.url} answered {one.answer.status}"
        for one in _takers(seen)
        if one.step == step and isinstance(one.answer, Answer)
    ]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more if found else "every place refused"
