"""JSON that others wrote: whatever it is, it is read, or refused by one sort of error."""

import json
from typing import Any

__all__ = ["read_json"]

_DEEPEST = 200  # levels: what walks through it afterwards takes a few calls for each


def read_json(text: str | bytes) -> Any:
    """Return what a JSON document says.

    Raises:
        ValueError: it is none, is nested deeper than 200 levels, or holds a number of more than 4,300 digits.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return value
    raise ValueError("nested too deep")
