"""Values of named columns, so that what only its name tells (a CVC, a PIN, an account number) is found, too."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from harness.domain.contracts import Hit
from harness.scan.scanner import Found, Scanner
from harness.scan.values import scan_values

__all__ = ["scan_named"]

_SHORT = re.compile(rb"\d{3,17}")
_MOST_SEEN = 100_000


def scan_named(scanner: Scanner, values: Iterable[tuple[Any, str, object]]) -> Iterator[tuple[Any, Found]]:
    """Search values, each given with its place and its column's name, also written with their names."""
    seen: set[tuple[Any, str, str]] = set()
    for place, one in scan_values(scanner, _with_names(values)):
        if isinstance(one, Hit):
            if (place, one.kind, one.shown) in seen:
                continue
            if len(seen) > _MOST_SEEN:
                seen.clear()
            seen.add((place, one.kind, one.shown))
        yield place, one


def _with_names(values: Iterable[tuple[Any, str, object]]) -> Iterator[tuple[Any, str, object]]:
    for place, column, value in values:
        yield place, column, value
        if isinstance(value, (dict, list)):
            yield place, column, json.dumps(value, default=str)
        elif column and isinstance(value, (bytes, str, int)) and not isinstance(value, bool):
            text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            if _SHORT.fullmatch(text):
                yield place, column, b"%s: %s" % (column.encode("utf-8", "replace"), text)
