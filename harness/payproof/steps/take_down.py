from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import StoreFault, Target
from payproof.domain.wants import Gap
from payproof.registry import step

__all__ = ["TakeDown"]


@step
@dataclass(frozen=True, slots=True)
class TakeDown(Step):
    """Let the target's store refuse, as the target file tells how; until it is back no store is looked into.

    With a ``fault`` the store does not refuse, but has that fault, by the table [store_faults] of that name.
    """

    name: ClassVar[str] = "take_down"
    fault: StoreFault | Literal[""] = ""

    def unfit(self, target: Target) -> Gap | None:
        """Return that the target file does not say how its store comes to have the fault."""
        if self.fault == "" or self.fault in target.store_faults:
            return None
        return Gap(f"the target file says nothing in [store_faults.{self.fault}]", ("[store_faults]",))

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Take it down."""
        await context.outage.begin(self.fault)
        return ()
