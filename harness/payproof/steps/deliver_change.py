import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation import Trouble
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.placeholders import prefix_of

__all__ = ["DeliverChange"]

_EVERY_CALL = "* *"
#: By kind of object: what is different in its next state, in every shape of the API.
_NEXT: Mapping[str, Mapping[str, object]] = {
    "customer": {"balance": 700, "delinquent": True},
    "invoice": {"attempt_count": 2, "attempted": True},
    "subscription": {
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "items.data.0.quantity": 2,
        "status": "past_due",
    },
}


@step
@dataclass(frozen=True, slots=True)
class DeliverChange(Step):
    """Deliver another state of the object that was delivered last, by a new event of the same type and second.

    Which of two events of one second is newer only Stripe knows, so that careful targets ask it; others ask at each
    event. With ``fault`` every call to Stripe meets it from then on, until the next step that operates, prepares or
    recovers.
    """

    name: ClassVar[str] = "deliver_change"
    fault: str = ""

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, let the fault strike, send it."""
        last = context.sent[-1]
        before: dict[str, Any] = json.loads(last.body)
        values: dict[str, object] = {"event.created": before["created"]}
        values |= _NEXT.get(before["data"]["object"]["object"], {})
        event = context.events.make(
            before["type"],
            values=values,
            ids={prefix_of(one): one for one in reversed(last.ids[1:])},
            age=context.clock.now() - before["created"],
        )
        if self.fault:
            context.stripe.arm(Trouble(self.fault, _EVERY_CALL))
        note = f"the next state of the same object, while Stripe's answer is {self.fault or 'as it should be'}"
        request = signed_request(context, event, event.encode(), note=note)
        return [await context.send(replace(request, variant=self.fault or request.variant))]
