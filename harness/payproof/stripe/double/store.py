"""The double's state: objects by kind and id in the newest shape, made from templates, and the events of changes."""

import heapq
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from enum import StrEnum
from functools import cache
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from payproof.stripe.double.cards import Cards
from payproof.stripe.double.errors import missing
from payproof.stripe.double.relations import Object
from payproof.stripe.double.shapes import Shapes, difference
from payproof.stripe.events import Event, made_up_words
from payproof.stripe.placeholders import Filling

__all__ = ["AfterRetries", "ObjectStore"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_PERSONAL = frozenset({"address", "collected_information", "customer_address", "customer_shipping", "shipping"})
_MOST_EVENTS = 10_000
_UNGUESSABLE = "$alnum:25"


class AfterRetries(StrEnum):
    """What becomes of a subscription when no payment of its invoice has succeeded, by Stripe's dashboard."""

    CANCEL = "cancel"
    UNPAID = "mark_unpaid"
    LEAVE = "leave_past_due"


class ObjectStore:
    """All objects of one account.

    ``clock`` gives seconds since 1970; ``api_version`` is the account's own, in whose shape events are written;
    ``canaries`` are the personal data that a payer types in on Stripe's pages. ``tell`` hears of every secret that is
    made up, by kind and value.
    """

    def __init__(
        self,
        templates: Traversable,
        *,
        clock: Callable[[], float],
        seed: int | str,
        api_version: str,
        canaries: Mapping[str, str],
        tell: Callable[[str, str], None],
        cards: Cards,
    ) -> None:
        self.cards = cards
        self.shapes = Shapes(templates, self)
        self.api_version = api_version
        self.request: Mapping[str, str | None] = {"id": None, "idempotency_key": None}
        self._clock, self._seed, self._canaries, self._tell = clock, seed, canaries, tell
        self._tables: dict[str, dict[str, Object]] = {}
        self._reported: dict[tuple[str, str], int] = {}
        self._shown: dict[tuple[str, str], tuple[Object, str, Object]] = {}
        self._made = 0
        self.told: dict[str, dict[str, Any]] = {}
        # By test clock: its time, and what is due. What is on none goes by the wall clock, under an empty name.
        self._frozen: dict[str, int] = {}
        self._due: dict[str, list[tuple[int, str, str]]] = {}
        self._running = ""
        self._expected: dict[str, str] = {}
        #: What becomes of a subscription whose payment failed to the end: a setting of Stripe's dashboard.
        self.after_retries = AfterRetries.CANCEL
        self._undo: list[tuple[str, str, Object | None]] = []
        self._fresh: list[Event] = []
        self._events: deque[Event] = deque(maxlen=_MOST_EVENTS)
        self._blank = cache(self._make_blank)
        self._account = ""
        self._account = self.new_id("acct")

    def now(self) -> int:
        """Return the time in seconds since 1970: that of the test clock at which something happens, if it is at one."""
        return self._frozen[self._running] if self._running else int(self._clock())

    @contextmanager
    def at_clock(self, clock_id: str) -> Iterator[None]:
        """Let what happens meanwhile happen at a test clock, or with an empty id by the wall clock."""
        before, self._running = self._running, clock_id
        try:
            yield
        finally:
            self._running = before

    def set_clock(self, clock_id: str, at: int) -> None:
        """Set a test clock, which there is from then on."""
        self._frozen[clock_id] = at

    @property
    def clock_ids(self) -> tuple[str, ...]:
        """The test clocks, oldest first."""
        return tuple(self._frozen)

    @property
    def clock_id(self) -> str | None:
        """The test clock at which something happens now, if it is at one."""
        return self._running or None

    def expect_id(self, kind: str, object_id: str) -> None:
        """Have each object of a kind that is made on a test clock get an id: that of one which a target knows."""
        self._expected[kind] = object_id

    def commit(self) -> None:
        """Keep what was changed since the last commit, and let its events go out."""
        self._events.extend(self._fresh)
        for event in self._fresh:
            self._tables.setdefault("event", {})[event.id] = dict(event.content)
        self._undo.clear()
        self._fresh.clear()

    def roll_back(self) -> None:
        """Undo what was changed since the last commit."""
        for kind, object_id, before in reversed(self._undo):
            if before is None:
                del self._tables[kind][object_id]
            else:
                self._tables[kind][object_id] = before
        self._undo.clear()
        self._fresh.clear()

    @property
    def account(self) -> str:
        """The id of the account itself."""
        return self._account

    @property
    def has_payer(self) -> bool:
        """Whether there is personal data for a payer to type in."""
        return bool(self._canaries)

    def new_id(self, prefix: str) -> str:
        """Return an id for what the double does not hold itself, such as a page of Stripe's."""
        self._made += 1
        return str(self._fill_template(f"$id:{prefix}"))

    def schedule(self, at: int, kind: str, object_id: str) -> None:
        """Have an object looked at when a time has come."""
        heapq.heappush(self._due.setdefault(self._running, []), (at, kind, object_id))

    def due(self, until: int | None = None) -> tuple[int, str, str] | None:
        """Return the time, kind and id of the next object whose time has come, or will have come, or None."""
        waiting, until = self._due.get(self._running), self.now() if until is None else until
        return heapq.heappop(waiting) if waiting and waiting[0][0] <= until else None

    def take_events(self) -> tuple[Event, ...]:
        """Return the events that were not yet taken, oldest first."""
        taken = tuple(self._events)
        self._events.clear()
        return taken

    def make(
        self, kind: str, values: Mapping[str, Any] = _NOTHING, *, without: Iterable[str] = (), payer: bool = False
    ) -> Object:
        """Make an object of a kind with the given values, and file it.

        What the values do not say is as it is at rest: no reference to another object, no personal data, unless the
        ``payer`` typed it in. ``without`` are properties that Stripe leaves out where they do not apply; a given value
        has them back.
        """
        self._made += 1
        made: Object = self._fill_template(self._shape_of(kind) if payer else self._blank(kind))
        if "created" in made:
            made["created"] = self.now()
        for name in without:
            del made[name]
        if self._running:
            made |= {"test_clock": self._running} if "test_clock" in made else {}
            made |= {"id": self._expected[kind]} if kind in self._expected else {}
        made.update(values)
        if secret := made.get("client_secret"):
            made["client_secret"] = secret = f"{made['id']}_secret_{secret}"
            self._tell("client_secret", secret)
        self._file(kind, made["id"], made)
        return made

    def _fill_template(self, template: Any) -> Any:
        return Filling(
            f"{self._seed}|{self._made}",
            faker=made_up_words,
            now=self.now(),
            canaries=self._canaries,
            livemode=False,
            pinned={"acct": self._account} if self._account else {},
        ).fill(template)

    def _shape_of(self, kind: str) -> Object:
        return self.shapes.newest(kind)

    def _make_blank(self, kind: str) -> Object:
        template = self._shape_of(kind)
        own = str(template.get("id", ""))
        blank: Object = _without_others(template, own)
        return blank

    def change(self, kind: str, object_id: str, changes: Mapping[str, Any]) -> tuple[Object, Object]:
        """Change an object, and return it as it is and as it was."""
        before = self._tables[kind][object_id]
        after = {**before, **changes}
        self._file(kind, object_id, after)
        return after, before

    def remove(self, kind: str, object_id: str) -> Object:
        """Replace an object by its stub ``deleted``, and return what it was."""
        before = self._tables[kind][object_id]
        self._file(kind, object_id, {"id": object_id, "object": before["object"], "deleted": True})
        return before

    def _file(self, kind: str, object_id: str, content: Object) -> None:
        table = self._tables.setdefault(kind, {})
        self._undo.append((kind, object_id, table.get(object_id)))
        table[object_id] = content

    def file(self, kind: str, object_id: str, content: Object) -> None:
        """File what is as it is, whatever becomes of the call that is under way."""
        self._tables.setdefault(kind, {})[object_id] = content

    def file_report(self, kind: str, content: Object, reported_at: int, *, aside: bool = False) -> None:
        """File an object's state as of a time, unless a later report is known.

        What an event shows only ``aside`` does not replace what calls have made.
        """
        key = kind, str(content["id"])
        known = self._reported.get(key)
        if known is None and aside and self.find(*key) is not None:
            return
        if known is None or reported_at >= known:
            self.file(*key, content)
            self._reported[key] = reported_at

    def note_shape(self, content: Object, shape: str, told: Object) -> None:
        """Note how an event has shown an object in an older shape."""
        self._shown[content["object"], str(content["id"])] = (content, shape, told)

    def told_as(self, content: Object, shape: str) -> Object | None:
        """Return how an event has shown an object in a shape, if the object is still as the event told."""
        known, known_shape, told = self._shown.get((content["object"], str(content.get("id"))), (None, "", None))
        return told if known is content and known_shape == shape else None

    def find(self, kind: str, object_id: str | None) -> Object | None:
        """Return an object, its stub where it was deleted, or None."""
        return None if object_id is None else self._tables.get(kind, {}).get(object_id)

    def living(self, kind: str, object_id: str, param: str = "id", *, status: int = 404) -> Object:
        """Return an object that was not deleted; raises ApiError ``resource_missing`` otherwise."""
        found = self.find(kind, object_id)
        if found is None or found.get("deleted"):
            raise missing(kind, object_id, param, status=status)
        return found

    def require(self, kind: str, object_id: str, param: str) -> Object:
        """Return an object that a parameter names; raises ApiError otherwise."""
        return self.living(kind, object_id, param, status=400)

    def all(self, kind: str) -> Iterator[Object]:
        """Yield the objects of a kind that were not deleted, newest first."""
        return (one for one in reversed(self._tables.get(kind, {}).values()) if not one.get("deleted"))

    @property
    def written(self) -> int:
        """How many events were written since the last commit: a place for one that is to go out before them."""
        return len(self._fresh)

    def emit(
        self, type_: str, subject: Object, before: Mapping[str, Any] | None = None, *, place: int | None = None
    ) -> None:
        """Write the event of a change; with ``before``, only where something did change."""
        version = self.api_version
        data: Object = {"object": self.shapes.render(subject, version)}
        if before is not None:
            previous = difference(self.shapes.render(dict(before), version), data["object"])
            if not previous:
                return
            data["previous_attributes"] = previous
        self._made += 1
        content = self._fill_template(deepcopy(self.shapes.newest("event")))
        content |= {
            "api_version": version,
            "type": type_,
            "created": self.now(),
            "data": json.loads(json.dumps(data)),
            "request": dict(self.request),
        }
        object_id = str(subject.get("id", ""))
        ids = tuple(dict.fromkeys((content["id"], *_ids_in(data["object"]))))
        event = Event(content["id"], type_, version, object_id, ids, content)
        self._fresh.insert(self.written if place is None else place, event)


def _without_others(node: Any, own: str, name: str = "") -> Any:
    """Return a template without personal data and without other objects' ids."""
    if isinstance(node, dict):
        if name == "metadata":
            return {}
        if name in _PERSONAL:
            return None
        return {key: _without_others(value, own, key) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_others(value, own) for value in node]
    return _own_text(node, own, name) if isinstance(node, str) and "$" in node else node


def _own_text(text: str, own: str, name: str) -> str | None:
    if name == "client_secret":
        return _UNGUESSABLE
    strange = text.replace(own, "").replace("$id:acct", "") if own else text
    return None if any(mark in strange for mark in ("$id:", "$canary:", "$faker:")) else text


def _ids_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("id"), str):
            yield node["id"]
        for value in node.values():
            yield from _ids_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _ids_in(value)
