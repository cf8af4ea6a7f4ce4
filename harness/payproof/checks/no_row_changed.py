from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, StoreChange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column, spot_of_route
from payproof.registry import check

__all__ = ["NoRowChanged"]


@check
@dataclass(frozen=True, slots=True)
class NoRowChanged(Check):
    """The last step has changed no row, but of tables that changed by the step before too, which asked for nothing.

    Such are journals of requests, and the time at which a credential was used last. Tables in which the contract lets
    refusals be recorded are left out as well. ``by`` is what should have changed nothing: who may not ask, or a
    ``method`` that is not the route's.
    """

    name: ClassVar[str] = "no_row_changed"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    by: Literal["access", "method"] = "access"

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each other table."""
        last = max((one.step for one in seen.changes), default=0)
        usual = {(one.source, table.table) for one in seen.changes if one.step == last - 1 for table in one.tables}
        for change in seen.changes:
            for table in change.tables if change.step == last else ():
                if not table.rejection_log and (change.source, table.table) not in usual:
                    yield self._finding(change, table.describe(change.source), table.table, seen)

    def _finding(self, change: StoreChange, told: str, table: str, seen: Seen) -> Finding:
        mine = [one for one in seen.exchanges if one.step == change.step]
        taken = [one for one in mine if one.is_accepted]
        # Where nothing was taken nobody knows whose request it was, unless there was but one route.
        routes = {one.sent.route for one in taken or mine}
        spot = spot_of_route((taken or mine)[0]) if len(routes) == 1 else spot_of_column(change.source, table)
        kind = Kind.METHOD_EFFECT if self.by == "method" else Kind.ACCESS_GRANTED
        what = f"table {table} of {change.source} changed"
        return Finding(self.name, "no row changed", told, change.step, what=what, kind=kind, spot=spot)
