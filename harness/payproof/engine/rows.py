"""Shows rows of a target's stores to checks and to the record: what they say of the state that a step has led to.

What is different each time is replaced: the ids of the step, times about now, random ids. A JSON document is shown as
its values. Others may use the target
too, so only a row that holds an id of the step is shown in words. Of any other, and of a long text, a digest is shown:
it says whether two are the same, and nothing else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeVar

from payproof.domain.observation import RowSeen
from payproof.engine.watching import list_leaves
from payproof.stripe.placeholders import prefix_of

__all__ = ["divide_rows", "show_rows"]

_MOST_ROWS = 200
_LONGEST = 60
_ABOUT_NOW = 2 * 86_400
_ABOUT_A_FLOW = 400 * 86_400  # as far as a payment flow goes back, and the end of a yearly period
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?")
_NUMBER = re.compile(r"\d{10,19}(?:\.\d+)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
_MOST_VALUES, _LEVELS, _LARGEST = 400, 8, 65_536  # of a JSON document
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)

_Cell = tuple[str, str, str]
_Text = TypeVar("_Text", str, bytes)


def show_rows(
    cells: Iterable[_Cell], ids: Iterable[str], now: float, times: Mapping[int, str] | None = None
) -> tuple[RowSeen, ...] | None:
    """Return the rows that consist of some cells, or None where they are too many.

    Args:
        cells: table, column and text of each, row by row; the texts hold no sensitive value.
        ids: the ids that the step has sent.
        now: in Unix seconds.
        times: of a step that played a payment flow, what a time is called that Stripe's objects have, in Unix seconds:
            it is shown by that name, and so is nothing else of the flow's time.
    """
    own = {one: f"{{{prefix_of(one)}}}" for one in sorted(ids, key=len, reverse=True)}
    shown: list[RowSeen] = []
    for row in divide_rows(cells):
        if len(shown) == _MOST_ROWS:
            return None
        is_own = any(one in text for _, _, text in row for one in own)
        told = (
            (name, _shorten(_replace_chance(value, now, times), whole=is_own))
            for _, column, text in row
            for name, value in _list_values(column, _replace_ids(text, own))
        )
        shown.append(RowSeen(row[0][0], tuple(told)))
    return tuple(shown)


def _list_values(column: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield a cell, or of a JSON document each of its values, sorted by name; of a very large one only the text."""
    if text[:1] in {"{", "["} and len(text) <= _LARGEST:
        values = sorted(list_leaves(column, text, _LEVELS))
        if len(values) <= _MOST_VALUES:
            yield from values
            return
    yield column, text


def divide_rows(cells: Iterable[tuple[str, str, _Text]]) -> Iterator[list[tuple[str, str, _Text]]]:
    """Yield the cells of each row: another table, or a column for the second time, begins the next."""
    row: list[tuple[str, str, _Text]] = []
    columns: set[str] = set()
    for cell in cells:
        if row and (cell[0] != row[0][0] or cell[1] in columns):
            yield row
            row, columns = [], set()
        row.append(cell)
        columns.add(cell[1])
    if row:
        yield row


def _replace_ids(text: str, own: Mapping[str, str]) -> str:
    """Replace each id that a text holds; what has no underscore holds none, and most cells have none."""
    if "_" in text:
        for one, prefix in own.items():
            if one in text:
                text = text.replace(one, prefix)
    return text


def _replace_chance(text: str, now: float, times: Mapping[int, str] | None) -> str:
    about = _ABOUT_NOW if times is None else _ABOUT_A_FLOW
    if _NUMBER.fullmatch(text):
        seconds = next((at for unit in _UNITS if abs((at := float(text) / unit) - now) < about), None)
        if seconds is not None:
            return _name_time(seconds, times)
    return _UUID.sub("{id}", _TIME.sub(lambda found: _name_time(_read_time(found[0]), times), text))


def _name_time(seconds: float | None, times: Mapping[int, str] | None) -> str:
    return "{time}" if seconds is None or times is None else f"{{{times.get(int(seconds), 'time')}}}"


def _read_time(text: str) -> float | None:
    """Return a time in Unix seconds; one without a zone is taken for one of UTC, as databases mostly keep them."""
    try:
        read = datetime.fromisoformat(text.replace(" UTC", "Z").replace(",", "."))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _shorten(text: str, *, whole: bool) -> str:
    if whole and len(text) <= _LONGEST:
        return text
    return f"{{text {blake2b(text.encode(), digest_size=8).hexdigest()}}}"
