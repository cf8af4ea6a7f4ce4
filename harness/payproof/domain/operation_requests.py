"""How a target is asked for an operation, with what earlier ones kept; pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from payproof.domain.operation import Operation, Principal
from payproof.domain.request import Request
from payproof.domain.target import Target

__all__ = ["credential_headers", "fill_names", "make_request", "order_operations"]


def order_operations(target: Target, names: Iterable[str]) -> tuple[Operation, ...]:
    """Return operations and what must have been performed before them, first things first, each once."""
    order: dict[str, Operation] = {}

    def visit(these: Iterable[str]) -> None:
        for name in these:
            earlier = target.operations[name]
            visit(earlier.after)
            order.setdefault(name, earlier)

    visit(names)
    return tuple(order.values())


def make_request(target: Target, operation: Operation, kept: Mapping[str, str]) -> Request:
    """Return the request that asks for an operation, as its principal."""
    headers = [(b"Accept", b"application/json")]
    body = b""
    if operation.body is not None:
        headers.append((b"Content-Type", b"application/json"))
        body = json.dumps(fill_names(operation.body, kept)).encode()
    who = operation.principal
    headers += credential_headers(who)
    return Request(
        operation.method,
        fill_names(operation.path, {name: quote(value, safe="") for name, value in kept.items()}),
        tuple(headers),
        body,
        f"operation {operation.name}" + ("" if who is None else f" as {who.name}"),
        ids=tuple(kept.values()),
        within=target.contract.operations.answer_within,
        once=True,  # each call to Stripe that it causes is counted
    )


def credential_headers(who: Principal | None) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers by which somebody is known; none for nobody."""
    if who is None:
        return ()
    value = " ".join(part for part in (who.scheme, who.credential.reveal()) if part)
    return ((who.header.encode(), value.encode()),)


def fill_names(value: Any, kept: Mapping[str, str]) -> Any:
    """Return a text, or whatever holds texts, with what was kept in place of its name in braces."""
    match value:
        case Mapping():
            return {name: fill_names(one, kept) for name, one in value.items()}
        case list() | tuple():
            return [fill_names(one, kept) for one in value]
        case str():
            for name in _names(value, kept):
                value = value.replace(f"{{{name}}}", kept[name])
    return value


def _names(text: str, kept: Mapping[str, str]) -> Iterator[str]:
    return (name for name in kept if f"{{{name}}}" in text)
