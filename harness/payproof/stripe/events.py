"""Makes the webhook events that Stripe sends: every billing event type, in the shape of each supported API version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from faker import Faker

from payproof.domain.subject import Subject
from payproof.stripe.bodies import encode
from payproof.stripe.placeholders import Filling
from payproof.stripe.subjects import name_subject
from payproof.stripe.templates import Templates, assign

__all__ = ["Event", "EventFactory", "Recipe", "made_up_words"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_NOBODY = Subject()
#: Of somebody else always: without the subject all that comes after would be about nobody.
_ENDS_SUBJECT = frozenset({"customer.deleted"})
_PROVIDERS = [f"faker.providers.{name}" for name in ("address", "company", "person")]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an event was made of: whoever has it can make what the event only names, with the same ids and values."""

    filling: Filling
    set: Mapping[str, object]
    subject: Subject = _NOBODY


@dataclass(frozen=True, slots=True)
class Event:
    """A made-up Stripe event.

    ``object_id`` is the id of ``data.object``, empty where Stripe gives none (an upcoming invoice of older versions).
    ``ids`` are all made-up Stripe ids that it holds: the event's, the object's, then the others as they appear.
    ``recipe`` is None of an event that Stripe's double has written itself.
    """

    id: str
    type: str
    api_version: str
    object_id: str
    ids: tuple[str, ...]
    content: Mapping[str, Any] = field(repr=False, hash=False)
    recipe: Recipe | None = field(default=None, repr=False, compare=False)

    def told_again(self, event_id: str) -> "Event":
        """Return an event of another id that tells the same of the same object."""
        ids = tuple(event_id if one == self.id else one for one in self.ids)
        return replace(self, id=event_id, ids=ids, content={**self.content, "id": event_id})

    def encode(self, form: str = "pretty") -> bytes:
        """Return the webhook body in a form of ``bodies.FORMS``; raises ConfigurationError where there is none."""
        return encode(self.content, form)


class EventFactory:
    """Makes events from the templates under ``fixtures/events``; the same seed, key and type give the same event.

    With ``run`` only the ids of the event are others: a target that keeps ids of events takes each run's for new.
    """

    def __init__(self, fixtures: Traversable, *, seed: int | str, run: str = "") -> None:
        self._templates = Templates(fixtures)
        self._seed, self._run = seed, run

    def versions(self) -> tuple[str, ...]:
        """Return the API versions that have templates, oldest first; events of any version take the fitting shape."""
        return self._templates.versions()

    def types(self, api_version: str) -> tuple[str, ...]:
        """Return the event types of a version, sorted; raises ConfigurationError for an unknown version."""
        return self._templates.types(api_version)

    def make(
        self,
        type: str,  # noqa: A002 - Stripe's word
        *,
        api_version: str,
        now: int,
        canaries: Mapping[str, str],
        key: str,
        livemode: bool = False,
        ids: Mapping[str, str] = _NOTHING,
        set: Mapping[str, object] = _NOTHING,  # noqa: A002 - the word of the templates
        subject: Subject = _NOBODY,
    ) -> Event:
        """Make one event at ``now`` (seconds since 1970).

        ``ids`` pins ids by prefix, so that several events concern one object: ``{"cus": "cus_known"}``; prefixes that
        the event does not carry are left aside. ``set`` overrides dotted paths under ``data.object``, or of the event
        after a leading ``event.``. The event is about the ``subject``, where one is known. Raises ConfigurationError,
        with the nearest name, for an unknown type, version or path, and where a canary is missing that the event
        carries.
        """
        template = self._templates.event(type, api_version)
        source = f"{self._seed}|{key}|{type}"
        if type in _ENDS_SUBJECT:
            subject = _NOBODY
        pinned = {**subject.ids, **ids}
        if subject.email:
            canaries = {**canaries, "email": subject.email}
        filling = Filling(
            source,
            faker=made_up_words,
            now=now,
            canaries=canaries,
            livemode=livemode,
            pinned=pinned,
            run=self._run,
        )
        content = filling.fill(template)
        content["api_version"] = api_version
        name_subject(content["data"]["object"], subject)
        for path, value in set.items():
            assign(content, path, value)
        event_id = str(content["id"])
        object_id = str(content["data"]["object"].get("id", ""))
        held = dict.fromkeys((event_id, object_id, *filling.ids.values()))
        if set:
            text = json.dumps(content)
            held = {one: None for one in held if one in text}
        ids_held = tuple(filter(None, held))
        return Event(event_id, type, api_version, object_id, ids_held, content, Recipe(filling, set, subject))


@cache
def made_up_words() -> Faker:
    """Return the maker of words that are no canaries; made once, as it reads many files."""
    return Faker("en_US", providers=_PROVIDERS)
