"""Stripe's form encoding: nested parameters in bracket notation, ``items[0][price]=price_1&expand[]=customer``."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

__all__ = ["FormError", "decode", "encode", "leaves"]

_MOST_PAIRS = 2_000
_DEEPEST = 12
_LONGEST_NUMBER = 9  # digits of a place in a list
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


class FormError(ValueError):
    """The text is no form that Stripe would read; carries which rule it breaks and nothing of the text."""


def decode(text: str) -> dict[str, Any]:
    """Return the nested parameters: objects as dictionaries, lists by number or by ``[]`` as lists, leaves as text.

    A name that comes twice has its last value, as Stripe takes it.

    Raises:
        FormError: more than 2,000 pairs, more than 12 levels, a broken name, or one name for a value and an object.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PAIRS, errors="surrogateescape")
    except ValueError:
        raise FormError(f"more than {_MOST_PAIRS} parameters") from None
    tree: dict[str, Any] = {}
    for name, value in pairs:
        found = _NAME.fullmatch(name)
        if found is None:
            raise FormError("a name with unbalanced brackets")
        _place(tree, [found[1], *_PART.findall(found[2])], value)
    return {name: _make_lists(value) for name, value in tree.items()}


def _place(tree: dict[str, Any], parts: list[str], value: str) -> None:
    if len(parts) > _DEEPEST:
        raise FormError(f"more than {_DEEPEST} levels")
    node = tree
    *inner, last = parts
    for part in inner:
        node = node.setdefault(_key(node, part), {})
        if not isinstance(node, dict):
            raise FormError("one name for a value and for an object")
    key = _key(node, last)
    if isinstance(node.get(key), dict):
        raise FormError("one name for a value and for an object")
    node[key] = value


def _key(node: dict[str, Any], part: str) -> str:
    """Return the part itself, and for ``[]`` the next number of the list."""
    return part or str(len(node))


def _make_lists(node: Any) -> Any:
    """Return a tree in which each object whose keys are numbers from 0 on is a list."""
    if not isinstance(node, dict):
        return node
    values = {key: _make_lists(value) for key, value in node.items()}
    if all(key.isdecimal() and len(key) <= _LONGEST_NUMBER for key in values):
        return [values[key] for key in sorted(values, key=int)]
    return values


def leaves(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each value with its name in bracket notation, lists by number, in the order of the tree."""
    for name, value in tree.items():
        yield from _name_values(name, value)


def _name_values(name: str, value: Any) -> Iterator[tuple[str, str]]:
    inner: Iterable[tuple[object, Any]]
    match value:
        case Mapping():
            inner = value.items()
        case list() | tuple():
            inner = enumerate(value)
        case bool():
            yield name, "true" if value else "false"
            return
        case _:
            yield name, str(value)
            return
    for part, one in inner:
        yield from _name_values(f"{name}[{part}]", one)


def encode(tree: Mapping[str, Any]) -> str:
    """Return the tree as a form."""
    return urlencode(list(leaves(tree)), errors="surrogateescape")
