import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import nearest, step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverUnknown"]

#: Types of Stripe's that billing has nothing to do with, one that there is not yet, and the kinds of their objects.
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "climate.order.created": "climate.order",
        "terminal.reader.action_succeeded": "terminal.reader",
        "orbit.transfer.docked": "orbit.transfer",
    }
)


@step
@dataclass(frozen=True, slots=True)
class DeliverUnknown(Step):
    """Deliver an event of a type that billing has nothing to do with, or that there is not yet."""

    name: ClassVar[str] = "deliver_unknown"
    event: str = "orbit.transfer.docked"

    def __post_init__(self) -> None:
        """Refuse a type that is not among them, as soon as a scenario file is read."""
        if self.event not in _TYPES:
            raise ValueError(f"no such type {self.event!r}; {nearest(self.event, _TYPES)}")

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event of another one's envelope, sign it, send it."""
        made = context.events.make_control()
        content: dict[str, Any] = json.loads(made.encode())
        kind = _TYPES[self.event]
        thing = {"id": made.id.replace("evt", "thing", 1), "object": kind, "livemode": content["livemode"]}
        content |= {"type": self.event, "data": {"object": {**thing, "created": content["created"], "metadata": {}}}}
        body = json.dumps(content, indent=2).encode()
        request = signed_request(context, made, body, note=self.event)
        return [await context.send(replace(request, event=self.event, ids=(made.id, thing["id"])))]
