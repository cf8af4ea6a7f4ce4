import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request, signed_request
from payproof.stripe.placeholders import pin_ids
from payproof.stripe.states import next_state

__all__ = ["SUBSCRIPTION_LIFE", "DeliverLife", "LifeEvent", "find_unhandled", "make_life"]

SUBSCRIPTION_LIFE = tuple(f"customer.subscription.{what}" for what in ("created", "updated", "deleted"))
_MOST = 40  # events of a phase that are not made at the same time
_FEWEST = 2


@step
@dataclass(frozen=True, slots=True)
class DeliverLife(Step):
    """Deliver the events of an object's life, each made ``apart`` seconds after the one before it, in some order.

    ``life`` are their types, oldest first, of a subscription unless said otherwise. ``order`` says which of them are
    delivered, by their numbers from 1. All are about one new object, and an event of which the type ends in ``updated``
    brings it to another state; with no time between them only Stripe knows which is the newest. It knows the newest
    state before the first delivery. What was not accepted comes once more after the others. ``version`` is another API
    version of Stripe than the webhook's.
    """

    name: ClassVar[str] = "deliver_life"
    life: tuple[str, ...] = SUBSCRIPTION_LIFE
    order: tuple[int, ...] = ()
    apart: int = 60
    version: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers of no event, as soon as a scenario file is read."""
        if len(self.life) < _FEWEST:
            raise ValueError("life has the types of two events or more")
        if wrong := [one for one in self.order if not 1 <= one <= len(self.life)]:
            raise ValueError(f"order has {wrong[0]}: the events of life are 1 to {len(self.life)}")

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of the life's events."""
        return self.life

    def unfit(self, target: Target) -> Gap | None:
        """Return that a target handles none of the types, or that this is unknown.

        Of a type alone, such as the end of what never began, it may show no effect, and yet of one in such a life.
        """
        if self.version == target.webhook.api_version:
            return Gap(f"{self.version} is the API version of the webhook itself")
        return find_unhandled(target, self.life)

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make all events, then send those of the order, and once more what was refused, as Stripe does."""
        ages = [max(0, self.apart * (_MOST - len(context.sent) - place)) for place in range(len(self.life))]
        requests = [one.request for one in make_life(context, self.life, ages, version=self.version)]
        chosen = [requests[number - 1] for number in self.order or range(1, len(requests) + 1)]
        exchanges = [await context.send(one) for one in chosen]
        refused = [one for one, exchange in zip(chosen, exchanges, strict=True) if not exchange.is_accepted]
        return [*exchanges, *[await context.send(resigned_request(context, one)) for one in refused]]


def find_unhandled(target: Target, life: Sequence[str]) -> Gap | None:
    """Return that a target handles no event of a life, or that this is unknown."""
    if any(target.contract.is_handled(one) for one in life):
        return next((gap for one in life if (gap := target.tell_unclear(one))), None)
    return Gap(f"of the life of one object the target does not handle {life[0]}")


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """An event of an object's life: the request that delivers it, its ids, and which values bring the object there."""

    request: Request
    ids: tuple[str, ...]
    values: Mapping[str, object]


def make_life(context: Context, life: Sequence[str], ages: Sequence[int], *, version: str = "") -> list[LifeEvent]:
    """Make the events of one new object's life, each so many seconds old; Stripe knows its end from then on."""
    made: list[LifeEvent] = []
    subject: Mapping[str, Any] = {}
    ids: dict[str, str] = {}
    for place, (type_, age) in enumerate(zip(life, ages, strict=True)):
        values = next_state(subject) if subject and type_.endswith(".updated") else {}
        event = context.events.make(type_, values=values, ids=ids, age=age, api_version=version)
        ids = ids or pin_ids(event.ids)
        body = event.encode()
        subject = json.loads(body)["data"]["object"]
        note = f"{type_}, {place + 1} of {len(life)} in the life of one {subject['object']}"
        request = replace(signed_request(context, event, body, note=note), event=type_)
        made.append(LifeEvent(request, tuple(event.ids), {"id": subject["id"], **values}))
    return made
