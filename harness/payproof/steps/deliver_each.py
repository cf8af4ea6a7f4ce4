from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverEach", "list_mixed_types", "make_delivery"]

#: Of those that are about an object of their own.
_MIXED = ("customer.subscription.created", "invoice.paid", "checkout.session.completed", "invoice.payment_failed")


@step
@dataclass(frozen=True, slots=True)
class DeliverEach(Step):
    """Deliver one event of each type that a burst is made of: the control event, and others that the target handles."""

    name: ClassVar[str] = "deliver_each"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Deliver one after the other."""
        return [await context.send(make_delivery(context, type_)) for type_ in list_mixed_types(context.target)]


def list_mixed_types(target: Target) -> Sequence[str]:
    """Return the types of a burst, an empty text for the control event.

    Where all events are about one known customer there is no other: what one of them has left, another would change.
    """
    if target.subject.ids:
        return ("",)
    control = target.control.event.event if target.control is not None else ""
    return ("", *(one for one in _MIXED if one != control and target.contract.is_handled(one)))


def make_delivery(context: Context, type_: str) -> Request:
    """Return the delivery of a new event of a type, or of the control event."""
    events = context.events
    event = events.make(type_, values={}, ids={}) if type_ else events.make_control()
    return replace(signed_request(context, event, event.encode(), note=event.type), event=type_)
