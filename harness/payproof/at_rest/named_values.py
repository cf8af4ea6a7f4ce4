"""Searches values of named columns: sieves rows as lines of text, then searches exactly what may hold something."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.scan.names import key_says
from payproof.scan.scanner import Found, Scanner
from payproof.scan.values import scan_values

__all__ = ["SievingScanner", "scan_named"]

_AT_ONCE = 512 * 1024  # bytes of rows that are sieved together
_MOST_AT_ONCE = 4 * _AT_ONCE  # of one row, whose large values come in parts
_SHORT = re.compile(rb"\d{3,17}")
#: Neighbouring entries of few digits, which may be one number.
_SPLIT = re.compile(rb'"?\d{1,8}"?(?:\s*,\s*(?:"[^"]*"\s*:\s*)?"?\d{1,8}"?)+')
_PART = re.compile(rb"\d{3,13}")
_FEWEST_DIGITS = 12
_MOST_SEEN = 100_000

_Value = tuple[Any, str, object]


class SievingScanner(Scanner):
    """A scanner with a sieve: a second scanner that reports all that it sees, however unsure."""

    def __init__(self, detectors: Iterable[Detector], at_least: Confidence) -> None:
        known = tuple(detectors)
        super().__init__(known, at_least)
        self.sieve = Scanner(known, Confidence.LOW)


def scan_named(searcher: SievingScanner, values: Iterable[_Value]) -> Iterator[tuple[Any, Found]]:
    """Search values, each given with its place, of which the first part is its row, and its column's name.

    Each is searched as its type says, and as it would be written with its name: only its name shows a CVC or a PIN.
    """
    seen: set[tuple[Any, str, str]] = set()
    for place, one in scan_values(searcher, _add_names(_sieve_rows(searcher.sieve, values))):
        if isinstance(one, Hit):
            if (place, one.kind, one.shown) in seen:
                continue
            if len(seen) > _MOST_SEEN:
                seen.clear()
            seen.add((place, one.kind, one.shown))
        yield place, one


def _sieve_rows(sieve: Scanner, values: Iterable[_Value]) -> Iterator[_Value]:
    """Yield the values of rows in which there may be something."""
    rows: list[list[_Value]] = []
    lines: list[bytes] = []
    starts: list[int] = []  # of rows
    split: set[int] = set()  # rows that may hold a number in parts
    size, last = 0, None
    for value in values:
        place = value[0][0]
        if place != last or size > _MOST_AT_ONCE:
            if size > _AT_ONCE:
                yield from _pick_rows(sieve, rows, lines, starts, split)
                rows, lines, starts, split, size = [], [], [], set(), 0
            last = place
            rows.append([])
            starts.append(size)
        rows[-1].append(value)
        line = _write_line(value[1], value[2])
        if isinstance(value[2], (dict, list)) and _may_be_split(line):
            split.add(len(rows) - 1)
        lines.append(line)
        size += len(line)
    yield from _pick_rows(sieve, rows, lines, starts, split)


def _pick_rows(
    sieve: Scanner, rows: list[list[_Value]], lines: list[bytes], starts: list[int], split: set[int]
) -> Iterator[_Value]:
    seen = set(split)
    for one in sieve.stream((b"".join(lines),)):
        number = bisect_right(starts, one.start) - 1
        # Behind what the sieve could not read, or had enough of, there may be anything.
        seen.update((number,) if isinstance(one, Hit) else range(number, len(rows)))
    for number in sorted(seen):
        yield from rows[number]
        yield from _join_neighbours(rows[number])


def _join_neighbours(row: list[_Value]) -> Iterator[_Value]:
    """Yield the values of neighbouring columns that could be parts of one number, together, behind a card's name."""
    for digits, group in groupby(row, lambda one: _read_part(one[2]) is not None):
        run = list(group) if digits else []
        named = next((index for index, (_, column, _) in enumerate(run) if key_says(column)), len(run))
        if len(run) - named > 1:
            place, column, _ = run[named]
            parts = b", ".join(_read_part(value) or b"" for *_, value in run[named:])
            yield place, column, b"%s: %s" % (column.encode("utf-8", "replace"), parts)


def _read_part(value: object) -> bytes | None:
    """Return a value of few digits as text; None where it is something else."""
    if isinstance(value, bool) or not isinstance(value, int | str | bytes):
        return None
    text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    return text if _PART.fullmatch(text) else None


def _may_be_split(line: bytes) -> bool:
    return any(_count_digits(match[0]) >= _FEWEST_DIGITS for match in _SPLIT.finditer(line))


def _count_digits(text: bytes) -> int:
    return sum(map(text.count, (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9")))


def _write_line(column: str, value: object) -> bytes:
    """Return a value as text behind its name; numbers as their digits."""
    if isinstance(value, bytes):
        return b"%s: %s \n\n" % (column.encode("utf-8", "replace"), value)
    if isinstance(value, (dict, list)):
        value = json.dumps(value, default=str, ensure_ascii=False)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{column}: {value} \n\n".encode("utf-8", "replace")


def _add_names(values: Iterable[_Value]) -> Iterator[_Value]:
    for place, column, value in values:
        yield place, column, value
        if isinstance(value, (dict, list)):
            yield place, column, json.dumps(value, default=str)
        elif column and isinstance(value, (bytes, str, int)) and not isinstance(value, bool):
            text = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            if _SHORT.fullmatch(text):
                yield place, column, b"%s: %s" % (column.encode("utf-8", "replace"), text)
