from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.decisions import finding_of_genuine
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["Applied"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class Applied(Check):
    """The first step had its effect in some store, and the steps after it changed nothing more.

    With one step this tells "200 but ignored" from "200 and done"; with a replay after it, "once" from "twice". A type
    that the target does not handle needs no effect.
    """

    name: ClassVar[str] = "applied"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding when the first step left no trace, and for each later trace.

        What was not accepted has no effect for that very reason.
        """
        changed = [
            (change.step, change.source, table)
            for change in seen.changes
            for table in change.tables
            if not table.rejection_log
        ]
        if self._is_due(seen) and not any(step == 0 for step, _, _ in changed):
            looked = ", ".join(sorted({change.source for change in seen.changes}))
            waited = max((change.waited for change in seen.changes), default=0.0)
            expected, told = "an effect in a store", f"none in {looked} after {waited:.1f} s"
            answers = [(one, one.answer) for one in seen.exchanges if one.step == 0 and isinstance(one.answer, Answer)]
            if answers and all(answer.status not in _SUCCESS for _, answer in answers):
                yield finding_of_genuine(self.name, expected, told, answers[0][0])
            else:
                spot = spot_of_column(looked)
                yield Finding(self.name, expected, told, kind=Kind.EFFECT_MISSING, spot=spot)
        for step, source, table in changed:
            if step > 0:
                told, spot = table.describe(source), spot_of_column(source)
                expected = "no further effect of the same event"
                yield Finding(self.name, expected, told, step, kind=Kind.APPLIED_TWICE, spot=spot)

    def note(self, seen: Seen) -> str:
        """Tell of a type that the target does not handle, and whether it had an effect nonetheless."""
        if self._is_due(seen):
            return ""
        changed = sorted({table.table for change in seen.changes if change.step == 0 for table in change.tables})
        return (
            f"not handled by the target, but it changed {', '.join(changed)}"
            if changed
            else "not handled by the target"
        )

    def _is_due(self, seen: Seen) -> bool:
        """Whether the first step must have an effect: it delivers something that the target handles."""
        types = {exchange.sent.event for exchange in seen.exchanges if exchange.step == 0}
        return not types or any(not type_ or seen.contract.is_handled(type_) for type_ in types)
