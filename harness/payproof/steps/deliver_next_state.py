import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.foreign import Foreign, find_foreign_endpoint, foreign_request
from payproof.stripe.placeholders import pin_ids
from payproof.stripe.purchases import wait_for_another_second
from payproof.stripe.states import next_state

__all__ = ["DeliverNextState"]


@step
@dataclass(frozen=True, slots=True)
class DeliverNextState(Step):
    """Deliver an event that brings the object of the last delivery to another state, and is newer.

    ``event`` is its type. It is signed as it should be. With ``foreign`` it is none of the target's own: of a mode
    that is not the target's, or of another account; then the object is not to be found at Stripe in this state.
    """

    name: ClassVar[str] = "deliver_next_state"
    event: str = "customer.subscription.updated"
    foreign: Foreign | None = None

    @property
    def named_types(self) -> tuple[str, ...]:
        """The type of the event."""
        return (self.event,)

    def unfit(self, target: Target) -> Gap | None:
        """Return that a target does not handle the type, or that no such event comes to it, or that this is unknown."""
        if self.foreign is not None and (gap := find_foreign_endpoint(target, self.foreign)[1]) is not None:
            return gap
        if target.contract.is_handled(self.event):
            return target.tell_unclear(self.event)
        return Gap(f"the target does not handle {self.event}")

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event of the last one's object, then send it."""
        last = context.sent[-1]
        await wait_for_another_second(context)
        values = next_state(json.loads(last.body)["data"]["object"])
        event = context.events.make(self.event, values=values, ids=pin_ids(last.ids))
        note = f"{self.event} about the same object"
        if self.foreign is None:
            request = signed_request(context, event, event.encode(), note=note)
        else:
            request = foreign_request(context, event, self.foreign, note=note)
        return [await context.send(replace(request, event=self.event))]
