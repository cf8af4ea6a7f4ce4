from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverAsking"]


@step
@dataclass(frozen=True, slots=True)
class DeliverAsking(Step):
    """Deliver a genuine event at which the target asks Stripe, as calibration has shown; else the control event."""

    name: ClassVar[str] = "deliver_asking"

    def unfit(self, target: Target) -> Gap | None:
        """Return that the target asks Stripe nothing at events that it handles, where calibration has looked."""
        reactions = target.calibration.reactions
        asks = any(one.calls and one.is_handled for one in reactions)
        return None if asks or not reactions else Gap("no event that the target handles makes it ask Stripe")

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event and send it."""
        type_ = _find_asking(context.target)
        events = context.events
        event = events.make(type_, values={}, ids={}) if type_ else events.make_control()
        return [await context.send(signed_request(context, event, event.encode(), note=event.type))]


def _find_asking(target: Target) -> str:
    """Return a type that the target handles by calling Stripe; empty for the control event, where it is one or none.

    What a target does after its answer is told of the next delivery. So a type counts first whose own kind of object
    was asked for.
    """
    asking = [one for one in target.calibration.reactions if one.calls and one.is_handled]
    sure = [one for one in asking if any(_kind_of(one.event) in call for call in one.calls)]
    types = [one.event for one in sure or asking]
    control = None if target.control is None else target.control.event.event
    return "" if not types or control in types else types[0]


def _kind_of(type_: str) -> str:
    """Return the word for the object of a type, as it stands in the paths of the API: ``subscription``."""
    return type_.rpartition(".")[0].rpartition(".")[2]
