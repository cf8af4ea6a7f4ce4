"""Who asks for an operation without the right to it, and how: credentials that are none, lower roles, others; pure."""

import base64
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from payproof.domain.access import Asking, Promise, find_right
from payproof.domain.operation import Operation, Principal
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import Target
from payproof.domain.urls import ShapeError, shape_path

__all__ = ["Actor", "Who", "change_credential", "make_up_like", "refused_actors", "refused_requests"]

#: Who asks and is to be refused.
Who = Literal[
    "nobody", "empty", "made_up", "changed", "placeholder", "basic", "trusted_headers", "expired", "lower",
    "lower_claiming", "lower_paths",
]  # fmt: skip

_PLACEHOLDERS = ("null", "undefined", "None", "admin", "test", "token")
#: What proxies tell an application of who has signed in: of whoever reaches it otherwise it is anybody's word.
_TRUSTED = (
    "Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Authenticated-User", "X-User-Id", "X-Auth-Request-User",
)  # fmt: skip
_CLAIMS = ("X-Role", "X-User-Role", "X-Roles", "X-Admin")
_SHAPES: tuple[Literal["upper_case", "double_slash", "trailing_slash", "dot_segments"], ...] = (
    "upper_case",
    "double_slash",
    "trailing_slash",
    "dot_segments",
)
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_SHORT_NUMBER = 9  # digits; a longer number is made up in its own length


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as reports name it; with which credential and further headers, and for which operations."""

    label: str
    promise: Promise
    principal: Principal | None
    headers: tuple[tuple[bytes, bytes], ...]
    operations: tuple[Operation, ...]


def make_up_like(random: Random, text: str) -> str:
    """Return a text of the same shape that is another: of the same length and sorts of characters, prefixes kept.

    A short number becomes one that nobody has reached yet.
    """
    if text.isdigit() and len(text) <= _SHORT_NUMBER:
        return str(random.randrange(10**_SHORT_NUMBER, 2 * 10**_SHORT_NUMBER))
    head, mark, tail = text.rpartition("_") if "_" in text else ("", "", text)
    hexadecimal = bool(re.fullmatch(r"[0-9a-f-]{12,}", tail))
    while True:
        made = "".join(_make_up_character(random, one, hexadecimal=hexadecimal) for one in tail)
        if made != tail or not any(c.isalnum() for c in tail):
            return f"{head}{mark}{made}"


def _make_up_character(random: Random, character: str, *, hexadecimal: bool) -> str:
    if hexadecimal and character.isalnum():
        return random.choice("0123456789abcdef")
    return next((random.choice(one) for one in _CLASSES if character in one), character)


def change_credential(text: str, random: Random) -> str:
    """Return a credential that is wrong by one character, not at its end, where some encodings have idle bits."""
    place = len(text) - max(3, len(text) // 6)
    while not text[place].isalnum() and place > 0:
        place -= 1
    kind = next((one for one in _CLASSES if text[place] in one), string.ascii_lowercase)
    return text[:place] + random.choice([c for c in kind if c != text[place]]) + text[place + 1 :]


def refused_actors(target: Target, who: Who, random: Random) -> Iterator[Actor]:
    """Yield who asks in a way, with the operations that are to be refused to them."""
    guarded = tuple(one for one in target.operations.values() if one.principal is not None)
    if who.startswith("lower"):
        yield from _lower_actors(target, who)
        return
    if who == "expired":
        for one in target.principals.values():
            if one.expired:
                yield Actor(one.name, "unknown", one, (), guarded)
        return
    rightful = list(dict.fromkeys(one.principal for one in guarded if one.principal is not None))
    for principal in rightful[:1]:
        for label, credential, headers in _forge(who, principal, random):
            yield Actor(label, "unknown", credential, headers, guarded)


def _lower_actors(target: Target, who: Who) -> Iterator[Actor]:
    """Yield those who are known and may not do all operations."""
    for one in target.principals.values():
        lacking = tuple(op for op in target.operations.values() if find_right(one, op) is False)
        if one.expired or not lacking:
            continue
        claims = [(name.encode(), b"admin") for name in _CLAIMS] if who == "lower_claiming" else []
        yield Actor(one.name, "forbidden", one, tuple(claims), lacking)


def _forge(
    who: Who, principal: Principal, random: Random
) -> Iterator[tuple[str, Principal | None, tuple[tuple[bytes, bytes], ...]]]:
    """Yield a label, a credential, and headers of somebody who has no right one."""

    def wrong(text: str) -> Principal:
        return replace(principal, credential=Secret("a credential that is none", text))

    right = principal.credential.reveal()
    name = principal.header.encode()
    match who:
        case "nobody":
            yield "nobody", None, ()
        case "empty":
            yield "an empty credential", wrong(""), ()
        case "made_up":
            yield "a made-up credential", wrong(make_up_like(random, right)), ()
            yield "a credential of another form", wrong("payproof"), ()
        case "changed":
            yield "a changed credential", wrong(change_credential(right, random)), ()
            yield "the beginning of a credential", wrong(right[: len(right) // 2]), ()
        case "placeholder":
            for one in _PLACEHOLDERS:
                yield f"the credential {one}", wrong(one), ()
        case "basic":
            for pair in ("admin:admin", "admin:", ":"):
                value = b"Basic " + base64.b64encode(pair.encode())
                yield f"Basic {pair}", None, ((name, value),)
        case _:
            yield "a proxy's word", None, tuple((one.encode(), b"admin") for one in _TRUSTED)


def refused_requests(target: Target, actor: Actor, who: Who, kept: Mapping[str, str]) -> Iterator[Request]:
    """Yield the requests by which somebody asks for operations that are to be refused to them."""
    for operation in actor.operations:
        request = make_request(target, replace(operation, principal=actor.principal), kept)
        asked = replace(
            request,
            headers=(*request.headers, *actor.headers),
            note=f"operation {operation.name} as {actor.label}",
            variant=f"{operation.name} as {actor.label}",
            calls=operation.calls,
            asking=Asking(operation.name, actor.label, actor.promise),
        )
        if who != "lower_paths":
            yield asked
            continue
        elsewhere = replace(asked, asking=Asking(operation.name, actor.label, "elsewhere"))
        for place in _shape(request.target):
            yield replace(elsewhere, target=place, note=f"{asked.note}, by {place.partition('?')[0]}")


def _shape(target: str) -> Sequence[str]:
    """Return other forms of a path, by which a rule for paths may be gone round."""
    places: list[str] = []
    for shape in _SHAPES:
        try:
            places += shape_path(target, shape)
        except ShapeError:
            continue
    return places
