from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.entitlement import Beneficiary, Entitlement
from payproof.domain.observation import Exchange
from payproof.domain.operation import Price
from payproof.domain.operation_requests import order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.prepare import perform
from payproof.stripe.foreign import find_foreign_endpoint
from payproof.stripe.purchases import But, deliver_about, keep_id, make_event

__all__ = ["Grant", "Having", "choose_entitlement", "find_entitlement", "know_about", "perform_before"]

#: What an entitlement of the target file must tell to be chosen. For one that does not there are words and a key below,
#: without a key where it is what the target does not sell.
Having = Literal["", "amount", "checkout", "once", "other", "price", "subscription", "success"]

_LACKING: Mapping[Having, tuple[str, str]] = {
    "": ("the target file says nothing in [entitlements]", "[entitlements]"),
    "amount": ("no entitlement of the target file names an amount that is compared", "[entitlements.NAME] amount"),
    "checkout": ("no entitlement of the target file is given by checkout.session.completed", ""),
    "once": ("no entitlement of the target file is bought once, without a subscription", ""),
    "other": ("no entitlement of the target file names an other who must not get it", "[entitlements.NAME.other]"),
    "price": ("no entitlement of the target file names its price", "[entitlements.NAME] price"),
    "subscription": ("no entitlement of the target file comes and goes with a subscription", ""),
    "success": ("no entitlement of the target file names the page of success", "[entitlements.NAME] success"),
}
_CHEAP, _USUAL = 100, Price(2000)


@step
@dataclass(frozen=True, slots=True)
class Grant(Step):
    """Deliver the events that give an entitlement, as the target file names them, or others of ``events``.

    They tell that the price was paid in full, and are about the subject, or about ``whose``. ``but`` is what is wrong
    with them: they are of ``test_mode`` or ``live_mode``, which is not the target's, or of another ``account`` or
    ``context``; their ``metadata`` names somebody else; a hundredth of the ``amount`` was paid, or as much in another
    ``currency``, or for a ``price`` that nobody knows; or it was not paid (``unpaid``). ``having`` chooses an
    entitlement by what the target file tells of it. What must have been performed before, such as the creation of the
    customer, is performed first.
    """

    name: ClassVar[str] = "grant"
    having: Having = ""
    whose: Beneficiary = "subject"
    events: tuple[str, ...] = ()
    but: But = ""

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of ``events``."""
        return self.events

    def unfit(self, target: Target) -> Gap | None:
        """Return that no entitlement of the target file tells what is needed, or that none of this sort is sent."""
        match self.but:
            case "test_mode" | "live_mode" | "account" | "context":
                if (gap := find_foreign_endpoint(target, self.but)[1]) is not None:
                    return gap
        return choose_entitlement(target, self.having)[1]

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Perform what must come before, then deliver one event after the other."""
        entitlement = find_entitlement(context, self.having)
        before = await perform_before(context, entitlement, self.whose)
        types = self.events or entitlement.grants
        return [*before, *[await self._deliver(context, entitlement, type_) for type_ in types]]

    async def _deliver(self, context: Context, entitlement: Entitlement, type_: str) -> Exchange:
        cost = entitlement.cost
        pinned: dict[str, str] = {}
        more: dict[str, object] = {}
        if self.but == "amount":
            cost = replace(cost or _USUAL, amount=max(1, (cost or _USUAL).amount // _CHEAP))
        elif self.but == "currency":
            cost = replace(cost or _USUAL, currency="idr" if (cost or _USUAL).currency != "idr" else "vnd")
        elif self.but == "price":
            made_up = f"{context.random.getrandbits(80):020x}"
            pinned = {"price": f"price_1{made_up}", "prod": f"prod_{made_up[:14]}"}
        elif self.but == "unpaid" and type_.startswith("checkout.session."):
            more = {"payment_status": "unpaid"}
        asked = replace(entitlement, cost=cost)
        named = bool(self.events)
        return await deliver_about(
            context, asked, type_, self.whose, but=self.but, pinned=pinned, more=more, named=named
        )


def choose_entitlement(target: Target, having: Having) -> tuple[Entitlement | None, Gap | None]:
    """Return the first entitlement of a target file that tells what is needed, or what is missing."""
    for one in target.entitlements.values():
        told = {
            "": True,
            "amount": one.compares_amount,
            "checkout": one.is_of_checkout,
            "once": not one.is_of_subscription,
            "subscription": one.is_of_subscription,
            "other": one.other is not None,
            "price": bool(one.price),
            "success": bool(one.success),
        }
        if told[having]:
            return one, None
    why, want = _LACKING[having if target.entitlements else ""]
    return None, Gap(why, (want,) if want else ())


def find_entitlement(context: Context, having: Having) -> Entitlement:
    """Return the entitlement that a step is about, on a target that it fits."""
    found, _ = choose_entitlement(context.target, having)
    assert found is not None, "a case whose steps do not fit is skipped"
    return found


async def perform_before(context: Context, entitlement: Entitlement, whose: Beneficiary) -> Sequence[Exchange]:
    """Perform once in a phase, as the one whose entitlement it is, what must have been performed before."""
    if not entitlement.after or any(key.startswith(f"{whose} ") for key in context.kept):
        return ()
    context.stripe.arm()
    principal = entitlement.principal_of(whose)
    operations = [
        replace(one, principal=principal) if whose == "other" else one
        for one in order_operations(context.target, entitlement.after)
    ]
    done = await perform(context, operations)
    for operation in operations:
        for name in operation.keep:
            keep_id(context, whose, context.kept[name])
    return done


async def know_about(
    context: Context, entitlement: Entitlement, type_: str, values: Mapping[str, object]
) -> Sequence[Exchange]:
    """Have Stripe know what an event about the subject would tell, and deliver nothing of it."""
    before = await perform_before(context, entitlement, "subject")
    event = make_event(context, entitlement, type_, "subject", but="", pinned={}, more=values)
    context.stripe.know(event)
    return before
