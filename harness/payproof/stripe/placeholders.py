"""Fills an event template: made-up ids, times, faker's words and the run's canaries in place of ``$`` placeholders.

The mini-syntax is described in ``fixtures/README.md``. The same placeholder means the same value throughout one event,
which is what keeps ``invoice.customer`` and ``subscription.customer`` one customer.
"""

import re
import string
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from faker import Faker

from payproof.errors import ConfigurationError

__all__ = ["Filling", "pin_ids", "prefix_of"]

# The maker of words is shared, and its seed is a state: an event is made in one thread, an answer in another.
_ONE_WORD = threading.Lock()

_ALNUM = string.ascii_letters + string.digits
_WITHIN = re.compile(r"\{(\$[^{}]+)\}")
_PLACEHOLDER = re.compile(
    r"\$(?:(?P<plain>livemode|uuid)|now(?P<offset>[+-]\d+)?|(?P<named>canary|faker|id):(?P<name>\w+)"
    r"|(?P<alphabet>alnum|digits|hex):(?P<length>\d+))"
)
_ALPHABETS = {"alnum": _ALNUM, "digits": string.digits, "hex": "0123456789ABCDEF"}

# What stands between the underscore and the random part, and the length of the random part, as Stripe's ids look.
_USUAL_ID = ("1", 23)
_IDS = {
    "acct": ("1", 15),
    "ch": ("3", 23),
    "cus": ("", 14),
    "pi": ("3", 23),
    "prod": ("", 14),
    "re": ("3", 23),
    "req": ("", 14),
    "si": ("", 14),
    "txn": ("3", 23),
}


_ID = re.compile(r"([a-z]+(?:_sched)?)_(?:test_|live_)?[A-Za-z0-9]+")


def prefix_of(text: str) -> str:
    """Return the prefix of a Stripe id, as ``$id:`` names it (``cus``, ``sub_sched``); empty where it is no id."""
    found = _ID.fullmatch(text)
    return "" if found is None else found[1]


def pin_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return the ids of an event's objects by prefix, the first of each, for another event about the same objects.

    ``ids`` are all of the event, its own first.
    """
    return {prefix_of(one): one for one in reversed(ids[1:])}


class Filling:
    """The values of one event, each derived from the source text and the placeholder alone; ids from ``run`` as well.

    ``ids`` are the Stripe ids given out so far, by prefix, in the order in which the event shows them.
    """

    def __init__(
        self,
        source: str,
        *,
        faker: Callable[[], Faker],
        now: int,
        canaries: Mapping[str, str],
        livemode: bool,
        pinned: Mapping[str, str],
        run: str = "",
    ) -> None:
        self.ids: dict[str, str] = {}
        self._source, self._run = source, run
        self._faker = faker
        self._now = now
        self._canaries = canaries
        self._livemode = livemode
        self._pinned = pinned
        self._known: dict[str, Any] = {}

    def fill(self, node: Any) -> Any:
        """Return a new tree with each placeholder replaced; raises ConfigurationError for one that means nothing."""
        if isinstance(node, dict):
            return {key: self.fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.fill(value) for value in node]
        if isinstance(node, str) and "$" in node:
            if node[0] == "$":
                return self._value(node)
            return _WITHIN.sub(lambda match: str(self._value(match[1])), node)
        return node

    def pin(self, pinned: Mapping[str, str]) -> "Filling":
        """Return a filling that gives the same values, but these ids by prefix."""
        return Filling(
            self._source,
            faker=self._faker,
            now=self._now,
            canaries=self._canaries,
            livemode=self._livemode,
            pinned={**self._pinned, **pinned},
            run=self._run,
        )

    def _value(self, placeholder: str) -> Any:
        if placeholder not in self._known:
            self._known[placeholder] = self._make(placeholder)
        return self._known[placeholder]

    def _make(self, placeholder: str) -> Any:
        found = _PLACEHOLDER.fullmatch(placeholder)
        if found is None:
            raise ConfigurationError(f"{placeholder} is no placeholder", hint="fixtures/README.md lists them")
        if alphabet := found["alphabet"]:
            return self._text(placeholder, _ALPHABETS[alphabet], int(found["length"]))
        match found["named"] or found["plain"]:
            case "canary":
                value: Any = self._canary(found["name"])
            case "faker":
                value = self._word(found["name"])
            case "id":
                value = self._id(found["name"])
            case "livemode":
                value = self._livemode
            case "uuid":
                value = str(uuid.UUID(int=self._random(placeholder).getrandbits(128), version=4))
            case _:
                value = self._now + int(found["offset"] or 0)
        return value

    def _id(self, prefix: str) -> str:
        if prefix in self._pinned:
            made = self._pinned[prefix]
        else:
            mode = "live" if self._livemode else "test"
            start, length = (f"{mode}_a1", 58) if prefix == "cs" else _IDS.get(prefix, _USUAL_ID)
            made = f"{prefix}_{start}{self._text(f'$id:{prefix}{self._run}', _ALNUM, length)}"
        self.ids[prefix] = made
        return made

    def _canary(self, name: str) -> str:
        try:
            return self._canaries[name]
        except KeyError:
            given = ", ".join(sorted(self._canaries)) or "none"
            raise ConfigurationError(f"the event carries the canary {name}, which is missing; given: {given}") from None

    def _word(self, provider: str) -> str:
        faker = self._faker()
        try:
            make = getattr(faker, provider)
        except AttributeError:
            raise ConfigurationError(f"$faker:{provider}: faker has no provider of that name") from None
        with _ONE_WORD:
            faker.seed_instance(f"{self._source}|{provider}")
            return str(make())

    def _text(self, placeholder: str, alphabet: str, length: int) -> str:
        return "".join(self._random(placeholder).choices(alphabet, k=length))

    def _random(self, placeholder: str) -> Random:
        return Random(f"{self._source}|{placeholder}")
