"""The texts within a value of the domain, however deep: to look at all of them, or to change them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

__all__ = ["strings_of", "with_strings"]


def strings_of(value: Any) -> Iterator[str]:
    """Yield every text in dataclasses, sequences, sets and mappings; names of fields and of choices are none."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from strings_of(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings_of(key)
            yield from strings_of(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from strings_of(inner)


def with_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Return the same value with every text changed."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return change(value)
    if is_dataclass(value) and not isinstance(value, type):
        new = {one.name: with_strings(getattr(value, one.name), change) for one in fields(value) if one.init}
        return replace(value, **new)
    if isinstance(value, Mapping):
        return {with_strings(key, change): with_strings(inner, change) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(with_strings(inner, change) for inner in value)
    return value
