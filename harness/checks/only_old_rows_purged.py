from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Channel, Counted, Purged
from harness.registry import check

__all__ = ["OnlyOldRowsPurged"]

_SORTS = ("old", "young", "stays")


@check
@dataclass(frozen=True, slots=True)
class OnlyOldRowsPurged:
    """Rows older than the contract says are gone after the target's own purge, and all others are still there.

    The rows are those that ``plant_rows`` made. In a store that others change too, only those are judged.
    """

    name: ClassVar[str] = "only_old_rows_purged"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    patient: ClassVar[bool] = False
    reads: ClassVar[type] = Purged

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which too little or too much was removed, or nothing was planted."""
        if any(isinstance(one, Purged) and one.status for one in seen.observations):
            return  # a purge that ended with an error says nothing about what a good one removes
        before, after = (_rows(seen, moment) for moment in ("after", "purged"))
        step = max((one.step for one in seen.observations if isinstance(one, Purged)), default=0)
        for kept in seen.contract.kept_rows:
            for sort in _SORTS[: 3 if kept.stays else 2]:
                was, now = (rows[f"{sort} row of {kept.table}"][kept.table] for rows in (before, after))
                if not was:
                    what = f"no {sort} row in table {kept.table}"
                    yield Finding(self.name, f"a row by an event as the contract says for {kept.table}", what, step)
                elif sort == "old" and now:
                    yield Finding(
                        self.name, f"no row older than {kept.days} days", f"{now} in table {kept.table}", step
                    )
                elif sort != "old" and now < was:
                    sorts = {"young": f"younger than {kept.days} days", "stays": "that stay, however old"}[sort]
                    yield Finding(self.name, f"rows {sorts}", f"{was - now} removed from table {kept.table}", step)
        yield from self._others(seen, before, step)

    def _others(self, seen: Seen, before: dict[str, Counter[str]], step: int) -> Iterator[Finding]:
        due: Counter[str] = Counter()
        for attribute, tables in before.items():
            if attribute.startswith("old "):
                due.update(tables)
        for change in seen.changes:
            for table in change.tables:
                if change.step == step and not table.rejection_log and table.removed > due[table.table]:
                    what = (
                        f"{table.removed} removed from table {table.table} of {change.source}, {due[table.table]} due"
                    )
                    yield Finding(self.name, "no row removed but those that are due", what, step)


def _rows(seen: Seen, moment: str) -> dict[str, Counter[str]]:
    """Return by attribute and table how many of the planted rows there are."""
    most: dict[tuple[str, str, int], int] = {}
    for counted in seen.observations:
        if isinstance(counted, Counted) and counted.moment == moment:
            for one in counted.columns:
                place = (one.attribute, one.table, one.which)
                # A row holds several ids of one event, one in each of some columns.
                most[place] = max(most.get(place, 0), one.count)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for (attribute, table, _), count in most.items():
        rows[attribute][table] += count
    return rows
