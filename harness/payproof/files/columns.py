"""Files of rows with named columns by their beginnings, and CSV by its header."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import PurePath

__all__ = ["DUMP", "PARQUET", "SQLITE", "Csv", "Dump", "is_named_csv"]

#: How what pg_dump writes begins.
DUMP = b"--\n-- PostgreSQL database dump"
PARQUET = b"PAR1"
SQLITE = b"SQLite format 3\0"

_COPY = re.compile(rb"\nCOPY ([^\n(]{1,300}) \(([^\n]{1,30000})\) FROM stdin;")
_NAME = re.compile(rb'"(?:[^"]|"")+"|[^\s,]+')
_LONGEST_COPY = 32 * 1024
_SUFFIXES = frozenset({".csv", ".tsv", ".psv"})
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst"})
_SEPARATORS = ",;\t|"
_MOST_FIELD = 1024 * 1024
_LINE = 64  # bytes that a line takes beside its own
_MOST_ROW = 4 * _MOST_FIELD  # a quote that is never closed would make one row of all lines
_FEWEST_COLUMNS, _MOST_COLUMNS = 2, 10_000  # one needs no name


def is_named_csv(name: str) -> bool:
    """Whether a file's name says that it has rows with a header, compressed or not."""
    path = PurePath(name.lower())
    while path.suffix in _PACKED:
        path = path.with_suffix("")
    return path.suffix in _SUFFIXES


class Dump:
    """A dump of PostgreSQL that passes by; ``columns`` are those that its COPY statements name, with their tables."""

    def __init__(self) -> None:
        self.columns: dict[tuple[str, str], None] = {}

    def following(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks, and remember what their COPY statements name."""
        tail = b"\n"
        for chunk in chunks:
            for table, names in _COPY.findall(tail + chunk):
                for name in _NAME.findall(names):
                    self.columns[_unquote(table), _unquote(name)] = None
            tail = chunk[-_LONGEST_COPY:]
            yield chunk


def _unquote(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace('"', "")


class Csv:
    """A stream of rows below a header; where it stops being one, ``rest`` gives all that is in no row.

    ``offset`` is where that begins, ``header`` are the columns' names.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.offset = 0
        self.header: tuple[str, ...] = ()
        self._chunks = iter(chunks)
        self._lines: deque[bytes] = deque()
        self._left = b""
        self._pending: list[bytes] = []
        self._held = 0  # bytes of what is pending

    def cells(self) -> Iterator[tuple[int, str, bytes]]:
        """Yield each value with the number of its row's first line and its column's name; without a header, none."""
        csv.field_size_limit(_MOST_FIELD)
        lines = iter(self._next, None)
        first = next(lines, "")
        separator = max(_SEPARATORS, key=first.count)
        try:
            header = next(csv.reader([first], delimiter=separator, strict=True), [])
            if not _FEWEST_COLUMNS <= len(header) <= _MOST_COLUMNS or not all(map(_is_name, header)):
                return
            self.header = tuple(header)
            yield 1, "", first.encode("utf-8", "surrogateescape")
            self._release_rows()
            reader = csv.reader(lines, delimiter=separator)
            line = 2
            for row in reader:
                for column, value in zip(chain(header, repeat("")), row, strict=False):
                    yield line, column, value.encode("utf-8", "surrogateescape")
                line = 2 + reader.line_num
                self._release_rows()
        except csv.Error:
            return

    def rest(self) -> Iterator[bytes]:
        """Yield the bytes that are in no row that was given."""
        yield b"".join([*self._pending, *self._lines, self._left])
        yield from self._chunks

    def _release_rows(self) -> None:
        self.offset += self._held
        self._held = 0
        self._pending.clear()

    def _next(self) -> str | None:
        """Return the next line; None at the end, and where a line or a row is too long to be one of a table."""
        if self._held + _LINE * len(self._pending) > _MOST_ROW:
            return None
        while not self._lines:
            if len(self._left) > _MOST_FIELD:
                return None
            chunk = next(self._chunks, b"")
            parts = (self._left + chunk).splitlines(keepends=True)
            self._left = parts.pop() if chunk and parts and not parts[-1].endswith(b"\n") else b""
            self._lines.extend(parts)
            if not chunk and not parts:
                return None
        line = self._lines.popleft()
        self._pending.append(line)
        self._held += len(line)
        return line.decode("utf-8", "surrogateescape")


def _is_name(text: str) -> bool:
    return 0 < len(text.strip()) <= 64 and sum(map(str.isdigit, text)) <= 4  # noqa: PLR2004
