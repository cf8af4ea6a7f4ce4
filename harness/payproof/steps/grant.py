import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.entitlement import PLACEHOLDERS, Beneficiary, Entitlement
from payproof.domain.observation import Exchange
from payproof.domain.operation import Price
from payproof.domain.operation_requests import order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.prepare import perform
from payproof.stripe.deliveries import request_of, signed_request
from payproof.stripe.foreign import make_foreign
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
    "names_of",
    "perform_before",
]

#: What an entitlement of the target file must tell to be chosen, with the words and the key for one that does not.
Having = Literal["", "checkout", "other", "price", "success"]

#: What is wrong with an event that would else give it.
But = Literal["", "mode", "account", "context", "metadata", "amount", "currency", "price", "unpaid"]

_LACKING: Mapping[Having, tuple[str, str]] = {
    "": ("the target file says nothing in [entitlements]", "[entitlements]"),
    "checkout": ("no entitlement of the target file is given by checkout.session.completed", "[entitlements]"),
    "other": ("no entitlement of the target file names an other who must not get it", "[entitlements.NAME.other]"),
    "price": ("no entitlement of the target file names its price", "[entitlements.NAME] price"),
    "success": ("no entitlement of the target file names the page of success", "[entitlements.NAME] success"),
}
_WHOM: Mapping[Beneficiary, str] = {"subject": "the subject", "other": "somebody else"}
_WRONG: Mapping[But, str] = {
    "mode": ", of the other mode",
    "account": ", of another account",
    "context": ", of another account by its context",
    "metadata": ", whose metadata names somebody else",
    "amount": ", at a hundredth of the amount",
    "currency": ", in another currency",
    "price": ", at a price that nobody knows",
    "unpaid": ", unpaid",
}
_CHEAP, _USUAL = 100, Price(2000)
_TICK = 0.05
_PASSING = frozenset({"evt", "req"})  # ids that are others in each event


@step
@dataclass(frozen=True, slots=True)
class Grant(Step):
    """Deliver the events that give an entitlement, as the target file names them, or others of ``events``.

    They tell that the price was paid in full, and are about the subject, or about ``whose``. ``but`` is what is wrong
    with them: they are of the other ``mode``, of another ``account`` or ``context``; their ``metadata`` names somebody
    else; a hundredth of the ``amount`` was paid, or as much in another ``currency``, or for a ``price`` that nobody
    knows; or it was not paid (``unpaid``). ``having`` chooses an entitlement by what the target file tells of it. What
    must have been performed before, such as the creation of the customer, is performed first.
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
        if self.but in {"mode", "account", "context"} and not target.webhook.connect:
            why = "to an endpoint that is not for Connect Stripe sends no events of another mode or account"
            return Gap(f"{why}: connect = true in [webhook] makes this one", ("[webhook] connect",))
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
            "checkout": one.is_of_checkout,
            "other": one.other is not None,
            "price": bool(one.price),
            "success": bool(one.success),
        }
        if told[having]:
            return one, None
    why, want = _LACKING[having if target.entitlements else ""]
    return None, Gap(why, (want,))


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
    await _wait_for_another_second(context)
    ids = {**ids_of(context, entitlement, whose), **(pinned or {})}
    first = context.events.make(type_, values={}, ids=ids)
    ids = {**pin_ids(first.ids), **ids}
    content = json.loads(first.encode())
    values = find_values(content, entitlement.cost, paid=type_ in entitlement.grants)
    subject = content["data"]["object"]
    values |= {path: value for path, value in entitlement.set.items() if has_value(subject, path)}
    if entitlement.other is not None and (whose == "other" or but == "metadata"):
        values |= name_other(subject, entitlement.other)
    values |= {path: value for path, value in (more or {}).items() if has_value(subject, path)}
    event = context.events.make(type_, values=values, ids=ids)
    for id_ in event.ids:
        if prefix_of(id_) not in (pinned or {}):
            _keep(context, whose, id_)
    note = f"{type_} about {_WHOM[whose]}{_WRONG.get(but, '')}"
    match but:
        case "mode" | "account" | "context":
            request = request_of(context, event, make_foreign(event.encode(), but, context.random), note=note)
        case _:
            request = signed_request(context, event, event.encode(), note=note)
    return await context.send(replace(request, event=type_ if named else ""))


async def _wait_for_another_second(context: Context) -> None:
    """Wait until an event is newer by its time than the last of this phase, or of a subject that others know."""
    if not context.sent and not {"cus", "sub"} & context.target.subject.ids.keys():
        return
    now = context.clock.now()
    while context.clock.now() == now:
        await context.clock.sleep(_TICK)
