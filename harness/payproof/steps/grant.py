import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.entitlement import PLACEHOLDERS, Beneficiary, Entitlement
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Exchange
from payproof.domain.operation import Price
from payproof.domain.operation_requests import order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.prepare import perform
from payproof.stripe.deliveries import signed_request
from payproof.stripe.foreign import FOREIGN, Foreign, find_foreign_endpoint, foreign_request
from payproof.stripe.grants import find_values, has_value, name_other
from payproof.stripe.placeholders import pin_ids, prefix_of

__all__ = [
    "But",
    "Grant",
    "Having",
    "choose_entitlement",
    "deliver_about",
    "find_entitlement",
    "ids_of",
    "know_about",
    "names_of",
    "wait_for_another_second",
]

#: What an entitlement of the target file must tell to be chosen. For one that does not there are words and a key below,
#: without a key where it is what the target does not sell.
Having = Literal["", "amount", "checkout", "once", "other", "price", "subscription", "success"]

#: What is wrong with an event that would else give it.
But = Foreign | Literal["", "metadata", "amount", "currency", "price", "unpaid"]

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
_WHOM: Mapping[Beneficiary, str] = {"subject": "the subject", "other": "somebody else"}
_WRONG: Mapping[But, str] = {
    "metadata": ", whose metadata names somebody else",
    "amount": ", at a hundredth of the amount",
    "currency": ", in another currency",
    "price": ", at a price that nobody knows",
    "unpaid": ", unpaid",
}
_CHEAP, _USUAL = 100, Price(2000)
#: What Stripe knows of a Checkout that began a subscription, and what is other in it.
_Begun = tuple[tuple[str, Mapping[str, object]], ...]
_BEGUN_PAID: _Begun = (("customer.subscription.created", {"status": "active"}), ("invoice.paid", {}))
_BEGUN_UNPAID: _Begun = (("customer.subscription.created", {"status": "incomplete"}), ("invoice.finalized", {}))
_TICK = 0.05
_PASSING = frozenset({"evt", "req"})  # ids that are others in each event


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
        before = await _perform_before(context, entitlement, self.whose)
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


async def _perform_before(context: Context, entitlement: Entitlement, whose: Beneficiary) -> Sequence[Exchange]:
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
            _keep(context, whose, context.kept[name])
    return done


def _keep(context: Context, whose: Beneficiary, id_: str) -> None:
    if (prefix := prefix_of(id_)) and prefix not in _PASSING:
        context.kept.setdefault(f"{whose} {prefix}", id_)


def ids_of(context: Context, entitlement: Entitlement, whose: Beneficiary) -> dict[str, str]:
    """Return the ids, by prefix, that what is delivered about somebody has had so far in this phase."""
    known = {"price": entitlement.price} if entitlement.price else {}
    if whose == "other" and entitlement.other is not None and entitlement.other.customer:
        known["cus"] = entitlement.other.customer
    start = f"{whose} "
    return {**known, **{key.removeprefix(start): id_ for key, id_ in context.kept.items() if key.startswith(start)}}


def names_of(context: Context, entitlement: Entitlement, whose: Beneficiary) -> dict[str, str]:
    """Return what stands for the names in braces of a target file: ids of the events, and what operations kept."""
    ids = {**context.target.subject.ids, **ids_of(context, entitlement, whose)}
    kept = {key: value for key, value in context.kept.items() if " " not in key}
    return {**kept, **{name: ids[prefix] for name, prefix in PLACEHOLDERS.items() if prefix in ids}}


async def deliver_about(
    context: Context,
    entitlement: Entitlement,
    type_: str,
    whose: Beneficiary,
    *,
    but: But = "",
    pinned: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
    named: bool = True,
) -> Exchange:
    """Deliver one event about somebody and what was delivered about them before; each is newer than the last.

    ``but`` is what is wrong with it (``Grant``), ``pinned`` are ids that it has in place of known ones, ``more`` are
    further values.
    """
    await wait_for_another_second(context)
    if type_.startswith("checkout.session.") and but not in FOREIGN:
        _know_what_it_began(context, entitlement, whose, pinned or {}, paid=but != "unpaid")
    event = _make_event(context, entitlement, type_, whose, but=but, pinned=pinned or {}, more=more or {})
    note = f"{type_} about {_WHOM[whose]}{_WRONG.get(but, '')}"
    match but:
        case "test_mode" | "live_mode" | "account" | "context":
            request = foreign_request(context, event, but, note=note)
        case _:
            request = signed_request(context, event, event.encode(), note=note)
    return await context.send(replace(request, event=type_ if named else ""))


def _make_event(
    context: Context,
    entitlement: Entitlement,
    type_: str,
    whose: Beneficiary,
    *,
    but: But,
    pinned: Mapping[str, str],
    more: Mapping[str, object],
) -> MadeEvent:
    """Make an event about somebody, and keep the ids that it has for those that follow."""
    ids = {**ids_of(context, entitlement, whose), **pinned}
    first = context.events.make(type_, values={}, ids=ids)
    ids = {**pin_ids(first.ids), **ids}
    content = json.loads(first.encode())
    values = find_values(content, entitlement.cost, paid=type_ not in entitlement.revokes)
    subject = content["data"]["object"]
    values |= {path: value for path, value in entitlement.set.items() if has_value(subject, path)}
    if entitlement.other is not None and (whose == "other" or but == "metadata"):
        values |= name_other(subject, entitlement.other)
    values |= {path: value for path, value in more.items() if has_value(subject, path)}
    event = context.events.make(type_, values=values, ids=ids)
    for id_ in event.ids:
        if prefix_of(id_) not in pinned:
            _keep(context, whose, id_)
    return event


def _know_what_it_began(
    context: Context, entitlement: Entitlement, whose: Beneficiary, pinned: Mapping[str, str], *, paid: bool
) -> None:
    """Have Stripe know the subscription and the invoice of a Checkout in the state of its payment.

    A target that asks for them, and trusts what Stripe says, is right.
    """
    for type_, values in _BEGUN_PAID if paid else _BEGUN_UNPAID:
        context.stripe.know(_make_event(context, entitlement, type_, whose, but="", pinned=pinned, more=values))


async def know_about(
    context: Context, entitlement: Entitlement, type_: str, values: Mapping[str, object]
) -> Sequence[Exchange]:
    """Have Stripe know what an event about the subject would tell, and deliver nothing of it."""
    before = await _perform_before(context, entitlement, "subject")
    event = _make_event(context, entitlement, type_, "subject", but="", pinned={}, more=values)
    context.stripe.know(event)
    return before


async def wait_for_another_second(context: Context) -> None:
    """Wait until an event is newer by its time than the last of this phase, or of a subject that others know."""
    if not context.sent and not {"cus", "sub"} & context.target.subject.ids.keys():
        return
    now = context.clock.now()
    while context.clock.now() == now:
        await context.clock.sleep(_TICK)
