"""Bodies that are no event as Stripe sends it: pure functions over the JSON of an event, by name.

Stripe signs none of them. They show how robust the code behind the signature is: a target that looks into such a body
before it has verified it meets the same ones from anybody.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from payproof.errors import ConfigurationError
from payproof.stripe.templates import nearest

__all__ = ["MALFORMED", "make_malformed"]

_DEPTH = 10_000
_DIGITS = 5000  # above the limit at which CPython refuses to make a number of them
_LONG = 100_000
_MEBIBYTE = 1024 * 1024
_PADDING = "payproof padding " * 60

_Event = dict[str, Any]


def make_malformed(kind: str, event: bytes) -> bytes:
    """Return the body of a kind, made of the JSON of an event, with as much of it as the kind leaves.

    Raises:
        ConfigurationError: there is no such kind.
    """
    if kind not in MALFORMED:
        raise ConfigurationError(f"no malformed body {kind!r}", hint=nearest(kind, MALFORMED))
    return MALFORMED[kind](event)


def _change(change: Callable[[_Event], object]) -> Callable[[bytes], bytes]:
    """Change the event as a document; what ``change`` returns, unless it is None, takes the event's place."""

    def make(event: bytes) -> bytes:
        document = json.loads(event)
        changed = change(document)
        return _encode(document if changed is None else changed)

    return make


def _encode(document: object) -> bytes:
    return json.dumps(document).encode()


def _drop(key: str) -> Callable[[bytes], bytes]:
    return _change(lambda event: {name: value for name, value in event.items() if name != key})


def _thin(event: _Event) -> _Event:
    """Make a thin event, which a destination of another kind gets (docs.stripe.com/event-destinations)."""
    subject = event["data"]["object"]
    related = {"id": subject.get("id"), "type": subject.get("object"), "url": "/v1/payproof"}
    kept = {"id": event["id"], "object": "v2.core.event", "type": f"v1.{event['type']}", "livemode": event["livemode"]}
    return {**kept, "created": "2026-01-01T00:00:00.000Z", "related_object": related}


def _add_unknown(event: _Event) -> None:
    for place in (event, event["data"], event["data"]["object"]):
        place |= {"payproof_text": "new", "payproof_list": [{"a": [None]}], "payproof_object": {"": {}}}


def _nullify(event: _Event) -> _Event:
    return dict.fromkeys(event)


def _nullify_object(event: _Event) -> None:
    subject = event["data"]["object"]
    event["data"]["object"] = {**dict.fromkeys(subject), "object": subject.get("object")}


def _mistype(value: object) -> object:
    """Return a value of another type of JSON's, with the texts that it holds."""
    match value:
        case bool() | None:
            return "yes"
        case int() | float():
            return [str(value)]
        case str():
            return {"value": value}
        case list():
            return {str(index): one for index, one in enumerate(value)}
        case dict():
            return [*value.items()]
    return 0


def _mistype_event(event: _Event) -> _Event:
    return {name: _mistype(value) for name, value in event.items()}


def _mistype_object(event: _Event) -> None:
    subject = event["data"]["object"]
    event["data"]["object"] = {name: _mistype(value) for name, value in subject.items()}


def _pollute(event: _Event) -> None:
    """Name what every object of JavaScript inherits, where a handler is looked up and where keys are copied."""
    event["type"] = "constructor"
    polluted = {"__proto__": {"paid": True}, "constructor": {"prototype": {"paid": True}}}
    event["data"]["object"] = {**polluted, **event["data"]["object"]}


def _insert(event: bytes, value: bytes) -> bytes:
    """Return an event with a value, given as JSON, in the metadata of its object."""
    document = json.loads(event)
    document["data"]["object"]["metadata"] = {**(document["data"]["object"].get("metadata") or {}), "payproof": 0}
    return _encode(document).replace(b'"payproof": 0', b'"payproof": ' + value, 1)


def _set_created(value: bytes) -> Callable[[bytes], bytes]:
    def make(event: bytes) -> bytes:
        document = json.loads(event)
        return _encode({**document, "created": "PAYPROOF"}).replace(b'"PAYPROOF"', value, 1)

    return make


def _repeat_keys(event: bytes) -> bytes:
    """Say id, type and data twice: parsers differ on which of the two counts."""
    document = json.loads(event)
    other = deepcopy(document)
    other["data"]["object"]["id"] = "payproof_other"
    again = {"id": f"{document['id']}x", "type": "payproof.other", "data": other["data"]}
    return _encode(document)[:-1] + b", " + _encode(again)[1:]


def _unquote(event: bytes) -> bytes:
    return event.replace(b'"', b"")


def _as_form(event: bytes) -> bytes:
    document = json.loads(event)
    return f"id={document['id']}&type={document['type']}&data[object][id]=payproof".encode()


def _pad(mebibytes: int) -> Callable[[bytes], bytes]:
    """Fill an event up with metadata."""

    def make(event: bytes) -> bytes:
        one = _encode(_PADDING)
        lines = (b'"p%d": %s' % (number, one) for number in range(mebibytes * _MEBIBYTE // len(one) + 1))
        return _insert(event, b"{" + b", ".join(lines) + b"}")

    return make


#: Every kind of body by its name.
MALFORMED: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "blank": lambda _: b" \r\n\t",
    "no_json": _unquote,
    "cut": lambda event: event[: len(event) // 2],
    "form": _as_form,
    "list": lambda event: b"[" + event + b"]",
    "string": lambda event: json.dumps(event.decode()).encode(),
    "number": lambda _: b"42",
    "null": lambda _: b"null",
    "empty_object": lambda _: b"{}",
    "other_object": _change(lambda event: event["data"]["object"]),
    "no_id": _drop("id"),
    "no_type": _drop("type"),
    "no_data": _drop("data"),
    "no_object": _change(lambda event: {**event, "data": {}}),
    "thin": _change(_thin),
    "unknown_type": _change(lambda event: {**event, "type": "payproof.unknown.type"}),
    "unknown_fields": _change(_add_unknown),
    "null_event": _change(_nullify),
    "null_object": _change(_nullify_object),
    "wrong_types": _change(_mistype_event),
    "wrong_types_in_object": _change(_mistype_object),
    "prototype": _change(_pollute),
    "deep_lists": lambda _: b"[" * _DEPTH + b"]" * _DEPTH,
    "deep_objects": lambda _: b'{"data":' * _DEPTH + b"null" + b"}" * _DEPTH,
    "deep_metadata": lambda event: _insert(event, b"[" * _DEPTH + b"]" * _DEPTH),
    "invalid_utf8": lambda event: _insert(event, b'"\xff\xfe\xc3\x28\xed\xa0\x80"'),
    "utf16": lambda event: event.decode().encode("utf-16"),
    "lone_surrogate": lambda event: _insert(event, rb'"\ud800"').replace(b'"evt_', rb'"evt_\udc00', 1),
    "nul": lambda event: _insert(event, rb'"\u0000"').replace(b'"evt_', rb'"evt_\u0000', 1),
    "duplicate_keys": _repeat_keys,
    "huge_number": _set_created(b"9" * _DIGITS),
    "huge_exponent": _set_created(b"1e400"),
    "no_number": _set_created(b"NaN"),
    "long_id": _change(lambda event: {**event, "id": event["id"] + "x" * _LONG}),
    "large_10": _pad(10),
    "large_50": _pad(50),
}
