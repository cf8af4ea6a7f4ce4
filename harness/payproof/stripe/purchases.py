"""Events about what somebody buys: each about the same objects as those before it, and newer.

The ids that somebody's events have had in a phase stand among what the phase has kept, by whose they are and prefix.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from payproof.domain.context import Context
from payproof.domain.entitlement import PLACEHOLDERS, Beneficiary, Entitlement
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Exchange
from payproof.stripe.deliveries import signed_request
from payproof.stripe.foreign import FOREIGN, Foreign, foreign_request
from payproof.stripe.grants import find_values, has_value, name_other
from payproof.stripe.placeholders import pin_ids, prefix_of

__all__ = ["But", "deliver_about", "ids_of", "keep_id", "make_event", "names_of", "wait_for_another_second"]

#: What is wrong with an event that would else give it.
But = Foreign | Literal["", "metadata", "amount", "currency", "price", "unpaid"]

_WHOM: Mapping[Beneficiary, str] = {"subject": "the subject", "other": "somebody else"}
_WRONG: Mapping[But, str] = {
    "metadata": ", whose metadata names somebody else",
    "amount": ", at a hundredth of the amount",
    "currency": ", in another currency",
    "price": ", at a price that nobody knows",
    "unpaid": ", unpaid",
}
#: What Stripe knows of a Checkout that began a subscription, and what is other in it.
_Begun = tuple[tuple[str, Mapping[str, object]], ...]
_BEGUN_PAID: _Begun = (("customer.subscription.created", {"status": "active"}), ("invoice.paid", {}))
_BEGUN_UNPAID: _Begun = (("customer.subscription.created", {"status": "incomplete"}), ("invoice.finalized", {}))
_TICK = 0.05
_PASSING = frozenset({"evt", "req"})  # ids that are others in each event


def keep_id(context: Context, whose: Beneficiary, id_: str) -> None:
    """Keep an id of somebody's, unless one of its kind is kept already."""
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
    event = make_event(context, entitlement, type_, whose, but=but, pinned=pinned or {}, more=more or {})
    note = f"{type_} about {_WHOM[whose]}{_WRONG.get(but, '')}"
    match but:
        case "test_mode" | "live_mode" | "account" | "context":
            request = foreign_request(context, event, but, note=note)
        case _:
            request = signed_request(context, event, event.encode(), note=note)
    return await context.send(replace(request, event=type_ if named else ""))


def make_event(
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
            keep_id(context, whose, id_)
    return event


def _know_what_it_began(
    context: Context, entitlement: Entitlement, whose: Beneficiary, pinned: Mapping[str, str], *, paid: bool
) -> None:
    """Have Stripe know the subscription and the invoice of a Checkout in the state of its payment.

    A target that asks for them, and trusts what Stripe says, is right.
    """
    for type_, values in _BEGUN_PAID if paid else _BEGUN_UNPAID:
        context.stripe.know(make_event(context, entitlement, type_, whose, but="", pinned=pinned, more=values))


async def wait_for_another_second(context: Context) -> None:
    """Wait until an event is newer by its time than the last of this phase, or of a subject that others know."""
    if not context.sent and not {"cus", "sub"} & context.target.subject.ids.keys():
        return
    now = context.clock.now()
    while context.clock.now() == now:
        await context.clock.sleep(_TICK)
