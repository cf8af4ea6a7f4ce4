from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.registry import step

__all__ = ["PurgeLater"]


@step
@dataclass(frozen=True, slots=True)
class PurgeLater(Step):
    """Run the target's own purge with a clock that is ahead, and count what is left.

    For each table whose rows are kept from their event's arrival on it is run twice: when the rows that an earlier step
    has made are almost due, and when they are.
    """

    name: ClassVar[str] = "purge_later"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Purge and count, in the order in which tables come due."""
        chosen = [rows for rows in context.target.contract.kept_rows if rows.planted == "recorded"]
        observed: list[Observation] = []
        for rows in sorted(chosen, key=lambda one: one.days):
            moments: dict[Literal["early", "purged"], float] = {
                "early": rows.days - rows.margin,
                "purged": rows.days + rows.margin,
            }
            for moment, later in moments.items():
                observed.append(await context.retention.purge(later))
                observed += await context.at_rest.count(moment, rows.table)
        return observed
