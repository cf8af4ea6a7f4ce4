from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, Purged
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_table
from payproof.registry import check

__all__ = ["PurgedWhenDue"]


@check
@dataclass(frozen=True, slots=True)
class PurgedWhenDue(Check):
    """Rows whose age counts from their arrival are left by a purge before their day, and removed by one after it.

    The rows are those that ``plant_rows`` has had recorded, the purges those of ``purge_later``.
    """

    name: ClassVar[str] = "purged_when_due"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type] = Purged

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each table in which nothing was recorded, or too little or too much was removed."""
        purges = [one for one in seen.observations if isinstance(one, Purged)]
        if any(one.status for one in purges):
            return  # a purge that ended with an error says nothing about what a good one removes
        step = max((one.step for one in purges), default=0)
        for kept in (one for one in seen.contract.kept_rows if one.planted == "recorded"):
            table = kept.table
            was, early, late = (
                seen.count_planted(moment, about)[f"recorded row of {table}", table]
                for moment, about in (("after", ""), ("early", table), ("purged", table))
            )
            expected, told, kind = "", "", Kind.REMOVED_TOO_SOON
            if not was:
                expected, told = f"a row by an event as the contract says for {table}", f"no row in table {table}"
                kind = Kind.NOT_AS_DESCRIBED
            elif early < was:
                expected, told = f"rows younger than {kept.days} days", f"{was - early} removed from table {table}"
            elif late:
                expected, told = f"no row older than {kept.days} days", f"{late} in table {table}"
                kind = Kind.KEPT_TOO_LONG
            if expected:
                yield Finding(self.name, expected, told, step, kind=kind, spot=spot_of_table(seen, table))
