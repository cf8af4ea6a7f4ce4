"""Typed values of a database's row as texts to search: whatever the column's type, a card number in it is digits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from payproof.domain.detector import Hit
from payproof.scan.brands import LONGEST, SHORTEST
from payproof.scan.pieces import Unread
from payproof.scan.scanner import Found, Scanner
from payproof.scan.settle import settle_hits
from payproof.scan.texts import Text

__all__ = ["scan_value", "scan_values"]

_AT_ONCE = 1024 * 1024  # bytes of values that are searched together
_LEVELS = 64  # of values within values
_SPLITS = frozenset(
    {(4, 4, 4, 4), (4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (8, 8)}
)  # sizes of the parts of a number


def scan_value(scanner: Scanner, column: str, value: object) -> list[Found]:
    """Search one value; ``column`` is its name. Offsets are those in the value written as text."""
    return [found for _, found in scan_values(scanner, ((None, column, value),))]


def scan_values(scanner: Scanner, values: Iterable[tuple[Any, str, object]]) -> Iterator[tuple[Any, Found]]:
    """Search values, each given with a place of the caller's own and a name; each finding comes with its place.

    Numbers are searched as their digits, texts and bytes as they are, lists and objects entry by entry under their
    keys, and neighbouring entries of few digits as one number. A nested value has a name of its own: ``card.number``.
    """
    texts: list[Text] = []
    size = 0
    for place, column, value in values:
        known = len(texts)
        try:
            texts.extend(_make_texts(value, column, (), place, _LEVELS))
        except RecursionError:
            del texts[known:]
            yield place, Unread(0, f"more than {_LEVELS} values, one within the other")
        size += sum(len(text.data) for text in texts[known:])
        if size > _AT_ONCE:
            yield from _search_texts(scanner, texts)
            texts, size = [], 0
    yield from _search_texts(scanner, texts)


def _search_texts(scanner: Scanner, texts: list[Text]) -> Iterator[tuple[Any, Found]]:
    """Search texts, and yield what is found in each once."""
    found: dict[int, list[Found]] = {}
    for number, one in scanner.texts(replace(text, source=number) for number, text in enumerate(texts)):
        found.setdefault(number, []).append(one)
    for number, several in sorted(found.items()):
        yield from ((texts[number].source, hit) for hit in settle_hits(one for one in several if isinstance(one, Hit)))
        yield from ((texts[number].source, one) for one in several if isinstance(one, Unread))


def _make_texts(value: object, column: str, path: tuple[str, ...], place: Any, levels: int) -> Iterator[Text]:
    data = _write_value(value)
    if data is not None:
        yield Text(data, lambda offset: offset, path, column, source=place)
    elif levels and isinstance(value, Mapping):
        for key, part in value.items():
            # Two names are enough: of order.card.number the last two, and of a table's column the key below it.
            yield from _make_texts(part, f"{column.rpartition('.')[2]}.{key}", path, place, levels - 1)
            yield from _make_texts(key, "", path, place, 0)
        yield from _join_digits(value.values(), column, path, place)
    elif levels and isinstance(value, Iterable):
        parts = list(value)
        for part in parts:
            yield from _make_texts(part, column, path, place, levels - 1)
        yield from _join_digits(parts, column, path, place)
    elif value is not None and not isinstance(value, bool):
        yield Text(str(value).encode("utf-8", "replace"), lambda offset: offset, path, column, source=place)


def _join_digits(parts: Iterable[object], column: str, path: tuple[str, ...], place: Any) -> Iterator[Text]:
    """Return neighbouring entries of digits as one text, where they are as many as a number's groups, or one each."""
    digits = (_write_value(part) or b"" for part in parts)
    for numeric, group in groupby(digits, bytes.isdigit):
        row = tuple(group)
        sizes = tuple(map(len, row))
        if numeric and (sizes in _SPLITS or (set(sizes) == {1} and SHORTEST <= len(sizes) <= LONGEST)):
            yield Text(b"".join(row), lambda _: 0, (*path, "split"), column, source=place)


def _write_value(value: object) -> bytes | None:
    """Return a single value as bytes: a number as its digits."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, bool) or value is None:
        return b""
    return _write_digits(value).encode() if isinstance(value, int | float | Decimal) else None


def _write_digits(value: float | Decimal) -> str:
    """Return a number without an exponent or a fraction of zero, where it has no other."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
        return format(value.to_integral_value(), "f") if whole else str(value)
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
