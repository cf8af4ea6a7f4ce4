from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, Purged
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column, spot_of_table
from payproof.registry import check

__all__ = ["OnlyOldRowsPurged"]

_SORTS = ("old", "young", "stays")


@check
@dataclass(frozen=True, slots=True)
class OnlyOldRowsPurged(Check):
    """Rows older than the contract says are gone after the target's own purge, and all others are still there.

    The rows are those that ``plant_rows`` has planted in this way. In a store that others change too, only those are
    judged. A table of which the target file says nothing that makes a row is not judged, and named.
    """

    name: ClassVar[str] = "only_old_rows_purged"
    wants: ClassVar[tuple[str, ...]] = ("[[retention.rows]]",)
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type] = Purged
    how: Literal["delivered", "written"] = "delivered"

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which too little or too much was removed, or nothing was planted."""
        if any(isinstance(one, Purged) and one.status for one in seen.observations):
            return  # a purge that ended with an error says nothing about what a good one removes
        before, after = (seen.count_planted(moment) for moment in ("after", "purged"))
        step = max((one.step for one in seen.observations if isinstance(one, Purged)), default=0)
        for kept in (one for one in seen.contract.kept_rows if one.planted == self.how):
            for sort in _SORTS[: 3 if kept.stays or kept.stays_with else 2]:
                was, now = (rows[f"{sort} row of {kept.table}", kept.table] for rows in (before, after))
                table, expected, told, kind = kept.table, "", "", Kind.REMOVED_TOO_SOON
                if not was:
                    expected, told = f"a row as the contract says for {table}", f"no {sort} row in table {table}"
                    kind = Kind.NOT_AS_DESCRIBED
                elif sort == "old" and now:
                    expected, told = f"no row older than {kept.days} days", f"{now} in table {table}"
                    kind = Kind.KEPT_TOO_LONG
                elif sort != "old" and now < was:
                    sorts = {"young": f"younger than {kept.days} days", "stays": "that stay, however old"}[sort]
                    expected, told = f"rows {sorts}", f"{was - now} removed from table {table}"
                if expected:
                    yield Finding(self.name, expected, told, step, kind=kind, spot=spot_of_table(seen, table))
        yield from self._judge_others(seen, before, step)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of each table that has a limit, but of which no row can be planted."""
        for kept in seen.contract.kept_rows:
            if not kept.planted:
                yield f"of table {kept.table} no row can be planted, as [retention] names neither event nor values"

    def _judge_others(self, seen: Seen, before: Counter[tuple[str, str]], step: int) -> Iterator[Finding]:
        due: Counter[str] = Counter()
        for (attribute, table), count in before.items():
            if attribute.startswith("old "):
                due[table] += count
        for change in seen.changes:
            for one in change.tables:
                if change.step == step and not one.rejection_log and one.removed > due[one.table]:
                    what = f"{one.removed} removed from table {one.table} of {change.source}, {due[one.table]} due"
                    expected, spot = "no row removed but those that are due", spot_of_column(change.source, one.table)
                    yield Finding(self.name, expected, what, step, kind=Kind.REMOVED_TOO_SOON, spot=spot)
