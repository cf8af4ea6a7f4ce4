from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation, StripeState, StripeThing
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.subject import Subject
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request, signed_request
from payproof.stripe.events import Event
from payproof.stripe.flows import Player, StripeObject, play

__all__ = ["Play", "deliver_event", "play_and_deliver", "tell_state"]

_EVENTS = 150  # of the longest flow, rather too many
#: The types of which a target must handle one, or nothing of a flow could show.
_TELLING = (
    *("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"),
    *("invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed", "checkout.session.completed"),
)


@step
@dataclass(frozen=True, slots=True)
class Play(Step):
    """Play a payment flow at Stripe with a new subscription, then deliver the events that it has caused.

    ``flow`` is one of `payproof flow --list`, and ``until`` the moment of it at which the step ends, or with ``before``
    the moment before that: by the clock of Stripe's objects the end is now. ``order`` is that of Stripe, its reverse,
    or any. What was not accepted comes once more after the others. Stripe knows the last state before the first
    delivery.
    """

    name: ClassVar[str] = "play"
    flow: str = "renewal"
    until: str = ""
    before: bool = False
    order: Literal["as_caused", "reversed", "shuffled"] = "as_caused"

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    @property
    def requests(self) -> int:
        """The deliveries, each of which may come twice."""
        return 2 * _EVENTS

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of which a target must handle one."""
        return _TELLING

    def unfit(self, target: Target) -> Gap | None:
        """Return that a target handles none of the types that tell of subscriptions, or that Stripe has no state."""
        if target.upstream is not None and target.upstream.backend not in {"double", "stripe"}:
            why = "payment flows need the built-in double or Stripe's test mode as the backend of [upstream]"
            return Gap(why, ("[upstream]",))
        if not any(target.contract.is_handled(one) for one in _TELLING):
            return Gap("the target handles none of the events that tell of a subscription")
        return None

    async def run(self, context: Context) -> Sequence[Observation]:
        """Play it, and deliver.

        Raises:
            InconclusiveError: Stripe refuses an act, or does not come to the state that the flow says.
        """
        return (await play_and_deliver(context, self, context.target.subject))[0]


async def play_and_deliver(context: Context, asked: "Play", subject: Subject) -> tuple[list[Observation], Player]:
    """Play a flow about somebody as a step asks for it, and return what was seen, and who has played.

    Raises:
        InconclusiveError: Stripe refuses an act, or does not come to the state that the flow says.
    """
    flow = context.flows.find(asked.flow)
    try:
        moments = flow.until(asked.until)[: -1 if asked.before else None]
    except ValueError as error:
        raise InconclusiveError(Reason.PREPARATION_FAILED, str(error)) from None
    player = Player.ending(context.flows.account, flow, subject, moments, context.clock.now())
    await player.begin()
    events: list[Event] = []
    for moment in moments:
        for act in moment.acts:
            await play(player, act)
        events += await player.take_events()
        state = await player.read_state()
        if difference := player.find_difference(moment, state):
            raise InconclusiveError(Reason.PREPARATION_FAILED, f"flow {flow.name}, {moment.name}: {difference}")
    match asked.order:
        case "reversed":
            events.reverse()
        case "shuffled":
            context.random.shuffle(events)
    requests = [deliver_event(context, one) for one in events]
    exchanges = [await context.send(one) for one in requests]
    refused = [one for one, exchange in zip(requests, exchanges, strict=True) if not exchange.is_accepted]
    exchanges += [await context.send(resigned_request(context, one)) for one in refused]
    step_number = exchanges[-1].step if exchanges else 0
    return [*exchanges, tell_state(step_number, player, moments[-1].name, state, asked.order)], player


def deliver_event(context: Context, event: Event) -> Request:
    """Return the request that delivers an event of a flow."""
    note = f"{event.type} of the flow"
    return replace(signed_request(context, event, event.encode(), note=note), event=event.type)


def tell_state(
    step_number: int, player: Player, moment: str, state: Sequence[StripeObject], order: str = "as_caused"
) -> StripeState:
    """Return what Stripe's objects are, for checks."""
    things = tuple(
        StripeThing(one.kind, tuple((name, _write(value)) for name, value in one.fields.items())) for one in state
    )
    return StripeState(step_number, player.flow.name, moment, player.now, things, order)


def _write(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
