from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["Applied"]


@check
@dataclass(frozen=True, slots=True)
class Applied(Check):
    """The first step had its effect in some store, and the steps after it changed nothing more.

    With one step this tells "200 but ignored" from "200 and done"; with a replay after it, "once" from "twice".
    """

    name: ClassVar[str] = "applied"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when the first step left no trace, and for each later trace."""
        changed = [
            (change.step, change.source, table)
            for change in seen.changes
            for table in change.tables
            if not table.rejection_log
        ]
        if not any(step == 0 for step, _, _ in changed):
            looked = ", ".join(sorted({change.source for change in seen.changes}))
            waited = max((change.waited for change in seen.changes), default=0.0)
            yield Finding(self.name, "an effect in a store", f"none in {looked} after {waited:.1f} s")
        for step, source, table in changed:
            if step > 0:
                yield Finding(self.name, "no further effect of the same event", table.describe(source), step)
