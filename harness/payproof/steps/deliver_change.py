import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from payproof.domain.context import Context
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Exchange
from payproof.domain.operation import Trouble
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.placeholders import pin_ids
from payproof.stripe.states import next_state

__all__ = ["DeliverChange"]

_EVERY_CALL = "* *"


@step
@dataclass(frozen=True, slots=True)
class DeliverChange(Step):
    """Deliver an event of the type that was delivered last, which has something to change and makes the target ask.

    Where calibration has shown that the type makes the target ask Stripe, it is a new event; where control events take
    turns, the next of them. Else it is another state of the same object in the same second: which of the two is newer
    only Stripe knows, so that careful targets ask it. With ``fault`` every call to Stripe meets it from then on, until
    the next step that operates, prepares or recovers.
    """

    name: ClassVar[str] = "deliver_change"
    fault: str = ""

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, let the fault strike, send it."""
        event = _make_next(context)
        if self.fault:
            context.stripe.arm(Trouble(self.fault, _EVERY_CALL))
        note = f"{event.type} that changes something, while Stripe's answer is {self.fault or 'as it should be'}"
        request = signed_request(context, event, event.encode(), note=note)
        return [await context.send(replace(request, variant=self.fault or request.variant))]


def _make_next(context: Context) -> MadeEvent:
    last, target = context.sent[-1], context.target
    before: dict[str, Any] = json.loads(last.body)
    type_ = before["type"]
    if target.control is not None and target.control.alternate is not None:
        return context.events.make_control()
    values = next_state(before["data"]["object"])
    reaction = target.calibration.of(type_)
    if reaction is not None and reaction.calls:
        # What the subject is about stays the same object, and needs a state to come to.
        return context.events.make(type_, values=values if target.subject.ids else {}, ids={})
    return context.events.make(
        type_,
        values={"event.created": before["created"], **values},
        ids=pin_ids(last.ids),
        age=context.clock.now() - before["created"],
    )
