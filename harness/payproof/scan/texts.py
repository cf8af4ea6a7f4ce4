"""Texts that are searched together: decoded parts of others, or typed values, each with where it stood."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from payproof.domain.finding import Confidence
from payproof.scan.blocks import BLOCK, OVERLAP
from payproof.scan.compiled import Runs
from payproof.scan.pieces import DecodedPart, Where
from payproof.scan.view import GUARD, View

__all__ = ["Pool", "Text", "pools"]


@dataclass(frozen=True, slots=True)
class Text:
    """Some bytes to search.

    ``where`` gives, for an offset into them, the offset in the outermost data, of which what begins from ``first`` to
    ``last`` counts; ``column`` is what they are called; ``source`` is whatever the caller knows them by. ``inner``
    marks what was decompressed: all of it stands at one place. Of a text that was cut, what begins in it from
    ``begin`` to ``end`` counts.
    """

    data: bytes = field(repr=False)
    where: Where = field(repr=False)
    path: tuple[str, ...] = ()
    column: str = ""
    first: int = 0
    last: int = 1 << 62
    source: Any = None
    inner: bool = False
    begin: int = 0
    end: int = 1 << 62

    def part(self, decoded: DecodedPart, begin: int, column: str) -> "Text":
        """Return what was decoded from this text, or from a larger one in which this one begins at ``begin``."""
        outer, inside = self.where, decoded.where
        start = decoded.start

        def where(place: int) -> int:
            return outer((start if inside is None else inside(place)) - begin)

        return replace(
            self,
            data=decoded.data,
            where=where,
            path=(*self.path, decoded.encoding),
            column=column,
            inner=self.inner or inside is None,
            begin=0,
            end=1 << 62,
        )


class Pool:
    """Texts in one buffer, with guards between them."""

    def __init__(self, texts: list[Text]) -> None:
        self.texts = texts
        self.data = GUARD + GUARD.join(text.data for text in texts) + GUARD
        self.starts: list[int] = []
        place = len(GUARD)
        for text in texts:
            self.starts.append(place)
            place += len(text.data) + len(GUARD)

    def view(self, machine: Runs, at_least: Confidence, most: int) -> View:
        """Return the texts prepared."""
        columns = [text.column for text in self.texts]
        return View(self.data, machine, starts=self.starts, columns=columns, at_least=at_least, most=most)

    def at(self, place: int) -> tuple[Text, int]:
        """Return the text that a place is in, and where it begins."""
        number = bisect_right(self.starts, place) - 1
        return self.texts[number], self.starts[number]

    def read(self, place: int, most: int) -> bytes:
        """Return the bytes from a place on, up to so many, of the text that it is in."""
        text, start = self.at(place)
        return self.data[place : min(place + most, start + len(text.data))]


def pools(texts: Iterable[Text]) -> Iterator[Pool]:
    """Put texts together to about a block's size; longer ones are cut, with an overlap."""
    together: list[Text] = []
    size = 0
    for text in texts:
        for part in _cut(text):
            if together and size + len(part.data) > BLOCK:
                yield Pool(together)
                together, size = [], 0
            together.append(part)
            size += len(part.data) + len(GUARD)
    if together:
        yield Pool(together)


def _cut(text: Text) -> Iterator[Text]:
    if len(text.data) <= BLOCK:
        yield text
        return
    for start in range(0, len(text.data) - OVERLAP, BLOCK - OVERLAP):
        begin = OVERLAP // 2 if start else 0
        end = BLOCK - OVERLAP // 2 if start + BLOCK < len(text.data) else BLOCK
        yield replace(text, data=text.data[start : start + BLOCK], where=_from(text.where, start), begin=begin, end=end)


def _from(where: Where, start: int) -> Where:
    return lambda place: where(start + place)
