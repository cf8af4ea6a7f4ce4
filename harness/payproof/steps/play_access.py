from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.entitlement import Entitlement
from payproof.domain.observation import Observation, StripeState
from payproof.domain.subject import PREFIXES, Subject
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.grant import choose_entitlement, perform_before
from payproof.steps.play import Play, play_and_deliver
from payproof.steps.see_entitlement import look_until
from payproof.stripe.flows import Player
from payproof.stripe.placeholders import prefix_of

__all__ = ["PlayAccess", "find_of_subscriptions", "is_granting", "name_subject_of", "see_access"]

_GRANTING = frozenset({"active", "trialing"})
_OF_SUBSCRIPTIONS = ("customer.subscription.", "invoice.")


@step
@dataclass(frozen=True, slots=True)
class PlayAccess(Play):
    """Play a payment flow as ``play`` does, then look whether the customer has what a subscription gives.

    It is about the customer that the target knows, or whom its own operation has made, as [entitlements] says. By
    Stripe's clock it is now, so that a target may compare the end of the period with its own clock.
    """

    name: ClassVar[str] = "play_access"

    def unfit(self, target: Target) -> Gap | None:
        """Return also that the target file names nothing that a subscription gives."""
        gap = Play.unfit(self, target) or choose_entitlement(target, "")[1]
        if gap is None and find_of_subscriptions(target) is None:
            return Gap("no entitlement of the target file is given by a subscription")
        return gap

    async def run(self, context: Context) -> Sequence[Observation]:
        """Have the customer made where that is needed, play, deliver, and look.

        Raises:
            InconclusiveError: Stripe refuses an act, or nobody can tell what the customer has.
        """
        entitlement = find_of_subscriptions(context.target)
        assert entitlement is not None, "a case whose steps do not fit is skipped"
        before = await perform_before(context, entitlement, "subject")
        seen, player = await play_and_deliver(context, self, name_subject_of(context))
        (state,) = (one for one in seen if isinstance(one, StripeState))
        return [*before, *seen, await see_access(context, entitlement, player, state)]


def name_subject_of(context: Context) -> Subject:
    """Return whom a flow is about: the subject, or the customer that an operation of the target's has made."""
    made = context.kept.get(f"subject {PREFIXES['customer']}")
    return context.target.subject if made is None else context.target.subject.with_ids([made])


async def see_access(context: Context, entitlement: Entitlement, player: Player, state: StripeState) -> Observation:
    """Look whether the customer of a flow has what the subscription gives, until it is as Stripe's state says.

    Raises:
        InconclusiveError: nobody can tell.
    """
    for id_ in player.ids.values():
        context.kept[f"subject {prefix_of(id_)}"] = id_
    return await look_until(context, entitlement, "subject", awaited=is_granting(state))


def is_granting(state: StripeState) -> bool:
    """Whether a subscription gives access, by its state at Stripe."""
    return any(one.read("status") in _GRANTING for one in state.find("subscription"))


def find_of_subscriptions(target: Target) -> Entitlement | None:
    """Return the first entitlement that events of subscriptions give."""
    return next(
        (
            one
            for one in target.entitlements.values()
            if any(type_.startswith(_OF_SUBSCRIPTIONS) for type_ in one.grants)
        ),
        None,
    )
