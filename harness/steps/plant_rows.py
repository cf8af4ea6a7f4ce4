from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Context
from harness.domain.observation import Observation
from harness.registry import step
from harness.stripe.deliveries import signed_request

__all__ = ["PlantRows"]

_DAY = 24 * 3600
_BEYOND = 2  # days on either side of a limit


@step
@dataclass(frozen=True, slots=True)
class PlantRows:
    """Deliver events that make rows, for each table whose rows the target keeps for some days.

    One is two days older than those days, one two days younger, and one of each type whose rows stay is as old as the
    first; in what order they are numbered the check ``purged`` knows.
    """

    name: ClassVar[str] = "plant_rows"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Make the events, watch their ids, sign and send them."""
        observed: list[Observation] = []
        which = 0
        for kept in context.target.contract.kept_rows:
            old, young = (kept.days + _BEYOND) * _DAY, (kept.days - _BEYOND) * _DAY
            sorts = [("old", kept.event, old), ("young", kept.event, young)]
            sorts += [("stays", type_, old) for type_ in kept.stays]
            for sort, type_, age in sorts:
                event = context.events(type_, values={}, ids={}, age=age)
                context.watch("id", which, event.ids)
                context.watch(f"{sort} row of {kept.table}", which, event.ids)
                which += 1
                note = f"{type_}, {age // _DAY} days old"
                observed.append(await context.send(signed_request(context, event, event.encoded(), note=note)))
        return observed
