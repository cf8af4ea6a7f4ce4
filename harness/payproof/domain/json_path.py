"""Places in JSON, such as ``error.reference`` or ``data.0.id``."""

from collections.abc import Mapping
from typing import Any

from payproof.domain.documents import read_json

__all__ = ["reach", "text_at"]


def reach(value: Any, place: str) -> Any:
    """Return what stands at a dotted place, or None; a number counts the items of a list."""
    for part in place.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def text_at(body: str, place: str) -> str:
    """Return the text at a place of a JSON document; empty where there is none, or no JSON."""
    try:
        found = reach(read_json(body), place)
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""
