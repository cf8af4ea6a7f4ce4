from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.entitlement import Beneficiary
from payproof.domain.observation import EntitlementSeen, Observation
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step
from payproof.steps.grant import Having, choose_entitlement, deliver_about, find_entitlement
from payproof.steps.see_entitlement import look_until

__all__ = ["Revoke"]


@step
@dataclass(frozen=True, slots=True)
class Revoke(Step):
    """See to it that the subject, or ``whose``, has nothing of an entitlement yet.

    Who has it from earlier loses it by the events that take it away, as the target file names them.
    """

    name: ClassVar[str] = "revoke"
    having: Having = ""
    whose: Beneficiary = "subject"

    def unfit(self, target: Target) -> Gap | None:
        """Return that no entitlement of the target file tells what is needed."""
        return choose_entitlement(target, self.having)[1]

    async def run(self, context: Context) -> Sequence[Observation]:
        """Look, and where it is granted deliver what takes it away.

        Raises:
            InconclusiveError: it stays granted.
        """
        entitlement = find_entitlement(context, self.having)
        seen = await look_until(context, entitlement, self.whose, awaited=None)
        done: list[Observation] = []
        if isinstance(seen, EntitlementSeen) and seen.granted:
            done += [await deliver_about(context, entitlement, one, self.whose) for one in entitlement.revokes]
            seen = await look_until(context, entitlement, self.whose, awaited=False)
        if isinstance(seen, EntitlementSeen) and seen.granted:
            named = ", ".join(entitlement.revokes) or "no event"
            detail = (
                f"entitlement {entitlement.name} is granted before the case begins ({seen.told}), and {named} takes it "
                "away: see revokes in the target file"
            )
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        return [*done, seen]
