"""Writes one event as the bytes of a webhook body, in the forms that signature checks stumble over."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from payproof.errors import ConfigurationError
from payproof.stripe.templates import nearest

__all__ = ["FORMS", "LARGE", "encode"]

FORMS = ("compact", "escaped", "large", "pretty", "spaced", "unicode")
LARGE = 250 * 1024
"""The least size of a ``large`` body in bytes; a subscription or invoice reaches it within Stripe's own limits."""

_METADATA_KEYS = 50  # Stripe: up to 50 keys, values up to 500 characters (docs.stripe.com/api/metadata)
_METADATA_VALUE = ("payproof padding " * 30)[:500]
_LINE = 540  # bytes of one such value in the body with its key and indentation, rather too many than too few
_TEXT = (
    "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS} "
    "e\N{COMBINING ACUTE ACCENT} "
    "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED}\N{HEBREW LETTER VAV}\N{HEBREW LETTER FINAL MEM} "
    "\N{CJK UNIFIED IDEOGRAPH-6F22}\N{CJK UNIFIED IDEOGRAPH-5B57} "
    "\N{RECEIPT} \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} \N{LINE SEPARATOR}"
)


def encode(content: Mapping[str, Any], form: str) -> bytes:
    r"""Return the event's JSON in UTF-8 in one of FORMS; raises ConfigurationError for another form.

    ``pretty`` is two-space indentation as Stripe sends it, ``compact`` has no spaces, ``spaced`` has odd ones. The
    other three change the event: ``unicode`` and ``escaped`` add text beyond ASCII to each name and metadata, plain or
    as ``\u`` escapes; ``large`` adds metadata, and lines or items where there are some, up to LARGE bytes. An event
    without any free text has no such form, which is a ConfigurationError too.
    """
    match form:
        case "pretty":
            return _pretty(content)
        case "compact":
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        case "spaced":
            text = json.dumps(content, ensure_ascii=False, separators=(" ,\n\t", "  : "))
            return f"\n {text} \r\n".encode()
        case "unicode":
            return _pretty(_with_text(content))
        case "escaped":
            return json.dumps(_with_text(content), indent=2).encode()
        case "large":
            return _pad_body(content)
    raise ConfigurationError(f"no form {form!r} of a webhook body", hint=nearest(form, FORMS))


def _pretty(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _with_text(content: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = deepcopy(dict(content))
    places = 0
    for node in _objects(event["data"]["object"]):
        if isinstance(node.get("name"), str):
            node["name"] += f" {_TEXT}"
            places += 1
        if isinstance(node.get("metadata"), dict):
            node["metadata"]["text"] = _TEXT
            places += 1
    if not places:
        raise _no_free_text(content)
    return event


def _pad_body(content: Mapping[str, Any]) -> bytes:
    event: dict[str, Any] = deepcopy(dict(content))
    subject = event["data"]["object"]
    entries = next((subject[name]["data"] for name in ("lines", "items") if name in subject), None)
    if entries and "metadata" in entries[-1]:
        plain = deepcopy(entries[-1])
        _fill(event, entries[-1]["metadata"], _METADATA_KEYS)
        while len(_pretty(event)) < LARGE:
            entries.append({**deepcopy(plain), "id": f"{plain['id'][:-2]}{len(entries):02d}"})
            _fill(event, entries[-1]["metadata"], _METADATA_KEYS)
    else:
        metadata = next((n["metadata"] for n in _objects(subject) if isinstance(n.get("metadata"), dict)), None)
        if metadata is None:
            raise _no_free_text(content)
        _fill(event, metadata, LARGE)
    return _pretty(event)


def _fill(event: dict[str, Any], metadata: dict[str, str], most: int) -> None:
    """Add keys until the event is large, or the metadata has so many."""
    while len(metadata) < most and (missing := LARGE - len(_pretty(event))) > 0:
        number = min(most - len(metadata), max(1, missing // _LINE))
        metadata |= {f"padding_{len(metadata) + extra:03d}": _METADATA_VALUE for extra in range(number)}


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _no_free_text(content: Mapping[str, Any]) -> ConfigurationError:
    hint = "take a type whose object has a name or metadata"
    return ConfigurationError(f"{content['type']} of {content['api_version']} carries no free text", hint=hint)
