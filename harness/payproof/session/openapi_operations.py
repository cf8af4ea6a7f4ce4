"""Proposes the operations of a target file from an OpenAPI document: by paths, with bodies that its schemas ask for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payproof.domain.operation import OPERATIONS

__all__ = ["Proposal", "propose_operations"]

#: What a path or an operation's name says, and the call to Stripe that it usually causes; the more special ones first.
_SIGNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "refund": (re.compile(r"refund", re.IGNORECASE), "POST /v1/refunds"),
    "portal": (re.compile(r"portal", re.IGNORECASE), "POST /v1/billing_portal/sessions"),
    "checkout": (re.compile(r"check-?out", re.IGNORECASE), "POST /v1/checkout/sessions"),
    "cancel": (re.compile(r"cancel", re.IGNORECASE), "POST /v1/subscriptions/*"),
    "resume": (re.compile(r"resume|reactivate|uncancel", re.IGNORECASE), "POST /v1/subscriptions/*"),
    "change_plan": (re.compile(r"(change|switch|update)\w*-?plan|upgrade", re.IGNORECASE), "POST /v1/subscriptions/*"),
    "subscribe": (re.compile(r"subscri(be|ptions?)$", re.IGNORECASE), "POST /v1/subscriptions"),
    "create_customer": (re.compile(r"customers?$", re.IGNORECASE), "POST /v1/customers"),
    "pay": (re.compile(r"(pay|charge|payments?|payment-?intents?)$", re.IGNORECASE), "POST /v1/payment_intents"),
}
_METHODS = ("post", "put", "patch", "delete")
_MADE_UP: Mapping[str, object] = {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
_MOST_KEYS = 20


@dataclass(frozen=True, slots=True)
class Proposal:
    """An operation by its name and its table in a target file, and what nobody can know from the document."""

    name: str
    table: Mapping[str, Any]
    missing: tuple[str, ...] = ()


def propose_operations(document: Mapping[str, Any]) -> Iterator[Proposal]:
    """Yield operations, each once."""
    paths = document.get("paths")
    known: set[str] = set()
    for path, methods in paths.items() if isinstance(paths, dict) else ():
        for method in _METHODS:
            operation = methods.get(method) if isinstance(methods, dict) else None
            name = _name(path) if isinstance(operation, dict) else None
            if operation is None or name is None or name in known or not re.fullmatch(r"/[!-~]*", path):
                continue
            known.add(name)
            yield _propose(document, name, f"{method.upper()} {path}", operation)


def _propose(document: Mapping[str, Any], name: str, request: str, operation: Mapping[str, Any]) -> Proposal:
    missing = [f"where {{{one}}} comes from (after and keep)" for one in re.findall(r"\{([^}/]*)\}", request)]
    if operation.get("security", document.get("security")):
        missing.append("who may ask ([principals] and as)")
    table: dict[str, Any] = {"request": request, "calls": _SIGNS[name][1]}
    known, made_up = _make_body(document, operation)
    missing += [f"a value for {one!r} in its body" for one in made_up]
    if known or made_up:
        table["body"] = {**known, **made_up}
    return Proposal(name, table, tuple(missing))


def _name(path: str) -> str | None:
    """Return which operation a path is for, by its last words."""
    if re.search(r"web-?hook", path, re.IGNORECASE):
        return None
    words = "/".join(one for one in path.split("/") if one and not one.startswith("{"))
    return next((name for name in _SIGNS if name in OPERATIONS and _SIGNS[name][0].search(words)), None)


def _make_body(
    document: Mapping[str, Any], operation: Mapping[str, Any]
) -> tuple[dict[str, object], dict[str, object]]:
    """Return what a schema asks for: the values that it has examples of, and those that are made up by their types."""
    known: dict[str, object] = {}
    made_up: dict[str, object] = {}
    try:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        schema = _resolve(document, schema)
        properties = schema["properties"]
        for name in schema.get("required", [])[:_MOST_KEYS]:
            one = _resolve(document, properties[name])
            examples = [value for value in _list_examples(one) if isinstance(value, str | int | float | bool)]
            if examples:
                known[name] = examples[0]
            else:
                made_up[name] = _MADE_UP.get(str(one.get("type")), f"a {name}")
    except (LookupError, TypeError, AttributeError):  # a document of some other shape
        return {}, {}
    return known, made_up


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema, or what it refers to within its document."""
    reference = schema.get("$ref")
    found: Any = document
    for part in reference.removeprefix("#/").split("/") if isinstance(reference, str) else ():
        found = found[part]
    return schema if reference is None else found


def _list_examples(schema: Mapping[str, Any]) -> list[object]:
    return [schema.get("example"), *schema.get("examples", []), schema.get("default"), *schema.get("enum", [])]
