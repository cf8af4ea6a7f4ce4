"""Values that are watched by column: which attribute of what was offered has gone where."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

__all__ = ["Watch", "list_leaves"]

_WORD = re.compile(r"[0-9A-Za-z]+")
_LONGEST = 65_536  # characters of one value that are looked at word by word
_LEVELS = 32


class Watch:
    """Forms of values, each of one attribute of one thing that is offered."""

    #: The attribute of ids, of which each has to be seen.
    MARK: ClassVar[str] = "id"

    def __init__(self) -> None:
        self.marks: set[int] = set()
        self._whole: dict[str, set[tuple[str, int]]] = {}
        self._words: dict[str, set[tuple[str, int]]] = {}

    def add(self, attribute: str, which: int, forms: Iterable[str], *, whole: bool) -> None:
        """Watch forms of a value: as all that a value says, or also as one word of it. Case does not count."""
        if attribute == self.MARK:
            self.marks.add(which)
        for form in forms:
            self._whole.setdefault(form.lower(), set()).add((attribute, which))
            if not whole:
                self._words.setdefault(form.lower(), set()).add((attribute, which))

    def matches(self, column: str, value: object) -> Iterator[tuple[str, str, int]]:
        """Yield the column or key, the attribute and the number of each watched value that a value is or says."""
        for name, text in list_leaves(column, value, _LEVELS):
            found = set(self._whole.get(text, ()))
            if len(text) <= _LONGEST:
                for word in _WORD.findall(text):
                    found |= self._words.get(word, set())
            for attribute, which in found:
                yield name, attribute, which


def list_leaves(column: str, value: Any, levels: int) -> Iterator[tuple[str, str]]:
    """Yield each single value with its name, in lower case: of JSON, also where it stands as text, with the keys."""
    value = _parse_json(value) if levels else value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from list_leaves(f"{column}.{key}", inner, levels - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from list_leaves(column, inner, levels - 1)
    elif value is not None and not isinstance(value, bool):
        whole = isinstance(value, float) and value.is_integer()
        yield column, str(int(value) if whole else value).strip().lower()


def _parse_json(value: Any) -> Any:
    """Return bytes as text, and text that is a JSON object or list as what it says."""
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
