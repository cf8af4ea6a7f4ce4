"""Plays one flow: keeps which objects are the flow's own, what became of them, and the events that told of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from payproof.domain.flow import Flow, FlowMoment, count_days
from payproof.domain.subject import Subject
from payproof.errors import InconclusiveError, Reason
from payproof.stripe.events import Event
from payproof.stripe.placeholders import prefix_of

__all__ = ["ANSWERS", "Player", "StripeAccount", "StripeObject"]

#: The API version in whose shape answers are read, whatever version the target's events have.
ANSWERS = "2026-08-26.dahlia"
_DAY = 24 * 3600
#: The kinds of objects that an event of the flow may be about, by the prefixes of their ids.
_OWN = frozenset({"ch", "clock", "cs", "cus", "dp", "du", "ii", "in", "inpay", "pi", "py", "re", "seti", "sub"})


class StripeAccount(Protocol):
    """An account at Stripe, or at what stands in for it."""

    @property
    def prices(self) -> Sequence[str]:
        """The recurring prices that the target knows, the dearer ones later."""
        ...

    async def call(self, method: str, path: str, parameters: Mapping[str, Any], api_version: str) -> dict[str, Any]:
        """Call the API, and return what it answers.

        Raises:
            InconclusiveError: it refuses.
        """
        ...

    async def find_last_event(self) -> str:
        """Return the id of the latest event; empty where there is none."""
        ...

    async def list_events(self, after: str) -> Sequence[Mapping[str, Any]]:
        """Return the events since one, or with an empty id all, oldest first, once they are there."""
        ...

    def visit_page(self, session_id: str, card: str, what: str) -> None:
        """Do on a page of Stripe's what a payer does there.

        Raises:
            InconclusiveError: nobody can do it by program, as at Stripe itself.
        """
        ...

    def prepare(self, subject: Subject, after_retries: str) -> None:
        """Have a new customer be the one that the target knows, and set what the dashboard sets, where one can."""
        ...


@dataclass(frozen=True, slots=True)
class StripeObject:
    """What an object of Stripe's is: kind, id, and some of its fields."""

    kind: str
    id: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Player:
    """One customer's life by a flow, at a test clock that begins so many days ``before`` a time.

    ``ids`` are its objects by kind, the latest of each. ``now`` is the time by the test clock.
    """

    account: StripeAccount
    flow: Flow
    subject: Subject
    now: int
    ids: dict[str, str] = field(default_factory=dict)
    _known: dict[str, None] = field(default_factory=dict)  # in the order in which they came
    _last: str = ""

    @classmethod
    def ending(
        cls, account: StripeAccount, flow: Flow, subject: Subject, moments: Sequence[FlowMoment], at: int
    ) -> "Player":
        """Return a player by whose clock some moments end at a time."""
        return cls(account, flow, subject, at - int(count_days(tuple(moments)) * _DAY))

    async def begin(self) -> None:
        """Make the test clock."""
        self.account.prepare(self.subject, self.flow.after_retries)
        self._last = await self.account.find_last_event()
        clock = await self.call(
            "POST /v1/test_helpers/test_clocks", frozen_time=self.now, name=f"Payproof {self.flow.name}"
        )
        self.keep("clock", clock["id"])

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call the API by method and path."""
        method, _, path = operation.partition(" ")
        return await self.account.call(method, path, parameters, ANSWERS)

    def keep(self, kind: str, object_id: str) -> None:
        """Remember an object as the flow's own."""
        self.ids[kind] = object_id
        self._known[object_id] = None

    def need(self, kind: str) -> str:
        """Return the id of the flow's latest object of a kind.

        Raises:
            InconclusiveError: it has none.
        """
        if kind not in self.ids:
            raise InconclusiveError(Reason.PREPARATION_FAILED, f"flow {self.flow.name} has no {kind} yet")
        return self.ids[kind]

    async def take_events(self) -> list[Event]:
        """Return the events of the flow's own objects that were not yet taken, in the order of their writing."""
        found = await self.account.list_events(self._last)
        self._last = str(found[-1]["id"]) if found else self._last
        return [_read_event(content) for content in found if self._is_own(content)]

    def _is_own(self, content: Mapping[str, Any]) -> bool:
        subject = content["data"]["object"]
        name = str(subject.get("id", ""))
        own = name in self._known or not self._known.keys().isdisjoint(_texts(subject))
        if own and prefix_of(name) in _OWN:
            self._known[name] = None
        return own

    async def read_state(self) -> tuple[StripeObject, ...]:
        """Return what the flow's objects are now, oldest first of each kind, as far as taken events told of them."""
        found: list[StripeObject] = []
        if "subscription" in self.ids:
            found.append(_subscription(await self.call(f"GET /v1/subscriptions/{self.ids['subscription']}")))
        if "checkout.session" in self.ids:
            session = await self.call(f"GET /v1/checkout/sessions/{self.ids['checkout.session']}")
            found.append(_pick("checkout.session", session, "status", "payment_status"))
        for kind, (prefixes, *fields) in _TOLD.items():
            mine = [one for one in self._known if prefix_of(one) in prefixes.split()]
            found += [_pick(kind, await self.call(f"GET /v1/{kind}s/{one}"), *fields) for one in mine]
        for charge in [one for one in found if one.kind == "charge" and one.fields["disputed"]]:
            listed = await self.call("GET /v1/disputes", charge=charge.id)
            found += [_pick("dispute", one, "status") for one in listed["data"]]
        return tuple(found)

    def find_difference(self, moment: FlowMoment, state: Sequence[StripeObject]) -> str:
        """Return how Stripe's state is not what a moment says, or an empty text."""
        for name, wanted in moment.then.items():
            kind, _, attribute = name.partition("/")
            latest = next((one for one in reversed(state) if one.kind == kind), None)
            found = None if latest is None else latest.fields.get(attribute or "status")
            if found != wanted:
                return f"{name.replace('/', ' ')} is {found}, not {wanted}, at Stripe"
        return ""


#: Of which kinds each object that events told of is read: how its id begins, and which fields of it are told. They are
#: not listed by their customer, who may have had many a life before.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "invoice": ("in", "status", "amount_due"),
    "charge": ("ch py", "status", "amount", "amount_refunded", "refunded", "disputed"),
}


def _pick(kind: str, content: Mapping[str, Any], *fields: str) -> StripeObject:
    return StripeObject(kind, str(content["id"]), {name: content.get(name) for name in fields})


def _subscription(content: Mapping[str, Any]) -> StripeObject:
    item = content["items"]["data"][0]
    return StripeObject(
        "subscription",
        str(content["id"]),
        {
            "status": content["status"],
            "cancel_at_period_end": content["cancel_at_period_end"],
            "current_period_end": item["current_period_end"],
            "paused": bool(content["pause_collection"]),
            "price": item["price"]["id"],
            "quantity": item.get("quantity"),
        },
    )


def _read_event(content: Mapping[str, Any]) -> Event:
    plain = json.loads(json.dumps(content))
    subject = plain["data"]["object"]
    object_id = str(subject.get("id", ""))
    ids = [plain["id"], object_id, *(one for one in _texts(subject) if prefix_of(one) in _OWN | _NAMED)]
    return Event(
        plain["id"], plain["type"], plain["api_version"], object_id, tuple(filter(None, dict.fromkeys(ids))), plain
    )


#: Further objects that an event names, whose ids differ from one life to the next.
_NAMED = frozenset({"il", "pm", "si", "txn"})


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
