from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.assigned import is_assigned
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StripeCalls
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_call, spot_of_column
from payproof.registry import check

__all__ = ["NotAssigned"]

_EXPECTED = "what the sender may not set, ignored or refused"


@check
@dataclass(frozen=True, slots=True)
class NotAssigned(Check):
    """No row and no call to Stripe has taken over a field that the sender of a request may not set.

    A row that keeps the whole body as a text, such as a journal's, has set nothing.
    """

    name: ClassVar[str] = "not_assigned"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE, Channel.STRIPE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each column and each parameter of a call that holds such a value."""
        for change in seen.changes:
            columns = {
                (row.table, column) for row in change.rows or () for column, text in row.cells if is_assigned(text)
            }
            for table, column in sorted(columns):
                told, spot = f"{table}.{column} has it", spot_of_column(change.source, table, column)
                yield Finding(self.name, _EXPECTED, told, change.step, kind=Kind.VALUE_ASSIGNED, spot=spot)
        for one in seen.observations:
            if isinstance(one, StripeCalls):
                for call in one.calls:
                    names = [name for name, value in call.parameters if is_assigned(value)]
                    if names:
                        told, spot = f"{call.method} {call.path}", spot_of_call(f"{call.method} {call.path}")
                        told += f" with {', '.join(names)}"
                        yield Finding(self.name, _EXPECTED, told, one.step, kind=Kind.VALUE_ASSIGNED, spot=spot)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of rows that were too many to be looked through."""
        if any(change.rows is None for change in seen.changes):
            yield "too many rows changed to look through them"
