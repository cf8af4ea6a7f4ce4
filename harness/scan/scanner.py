"""Searches bytes for what the detectors know, in every encoding: one pass over the data serves all of them."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

from harness.domain.contracts import Detector, Hit
from harness.domain.finding import Confidence
from harness.scan import digits
from harness.scan.blocks import BLOCK, MOST, OVERLAP, Block, Blocks
from harness.scan.characters import HIGH, nibble, pair
from harness.scan.codecs import base64, compressed, escapes, hexadecimal, numerals, utf16
from harness.scan.pieces import Decoded, Read, Unread, Where, clusters
from harness.scan.context import key_before
from harness.scan.streams import Bits, Machine, Program, plane
from harness.scan.view import GUARD, View

__all__ = ["DEPTH", "Scanner"]

DEPTH = 3  # encodings, one within the other
_MANY = 4096
_BATCH = 16  # blocks of which the decoded parts are searched together

# What needs looking for in every text, and what only where there are bytes that are not ASCII, or control characters.
_USUAL = (base64, hexadecimal, escapes)
_RARE = (utf16, numerals, compressed)
_EXOTIC = HIGH | ~(plane(6) | plane(5) | plane(3))


@dataclass(frozen=True, slots=True)
class _Text:
    """Some decoded bytes: where they stood in the outermost data, through which encodings, and under which name."""

    data: bytes = field(repr=False)
    where: Where = field(repr=False)
    path: tuple[str, ...]
    column: str
    first: int = 0
    last: int = 0
    inner: bool = False


class Scanner:
    """Detectors bound to a machine.

    ``at_least`` is the confidence below which hits are not told.
    """

    def __init__(self, detectors: Iterable[Detector], at_least: Confidence = Confidence.MEDIUM) -> None:
        self._detectors = tuple(detectors)
        self._told = frozenset(one for one in Confidence if one.rank >= at_least.rank)
        self._machines: dict[int, Machine] = {}

    @cached_property
    def _programs(self) -> tuple[Program, ...]:
        usual: dict[str, Bits] = dict(digits.STREAMS) | {"exotic": _EXOTIC}
        for codec in _USUAL:
            usual |= codec.STREAMS
        for one in self._detectors:
            if hasattr(one, "anchor"):
                usual[f"detector {one.name}"] = one.anchor
        rare: dict[str, Bits] = {}
        for codec in _RARE:
            rare |= codec.STREAMS
        return Program(usual), Program(rare)

    def _machine(self, size: int) -> Machine:
        most = next((one for one in (4096, 65536) if size <= one), MOST)
        if most not in self._machines:
            self._machines[most] = Machine(self._programs, most)
        return self._machines[most]

    def scan(self, data: bytes, column: str = "") -> list[Hit | Unread]:
        if len(data) > BLOCK:
            return list(self.stream((data,), column))
        return list(self._search((Block.of(data),), lambda place, most: data[place - len(GUARD) :][:most], column))

    def stream(self, chunks: Iterable[bytes | memoryview], column: str = "") -> Iterator[Hit | Unread]:
        blocks = Blocks(chunks)
        yield from self._search(blocks, blocks.read, column)

    def _search(self, blocks: Iterable[Block], read: Read, column: str) -> Iterator[Hit | Unread]:
        found: list[Hit | Unread] = []
        texts: list[_Text] = []
        for number, block in enumerate(blocks, 1):
            machine = self._machine(block.end - block.begin)
            view = View(block.data, machine, begin=block.begin, end=block.end, columns=(column,))
            base = block.start
            for hit in self._hits(view):
                if block.first <= hit.start < block.last:
                    found.append(replace(hit, start=base + hit.start, end=base + hit.end))
            for part in self._parts(view, read):
                if isinstance(part, Unread):
                    if block.first <= part.start < block.last:
                        found.append(replace(part, start=base + part.start))
                    continue
                first, last = base + block.first, base + block.last
                texts.append(_text(part, (), column or key_before(block.data, part.start), lambda place, base=base: base + place, first, last))
            if number % _BATCH == 0 or len(texts) > _MANY:
                found += self._deeper(texts)
                yield from _settled(found)
                found, texts = [], []
        found += self._deeper(texts)
        yield from _settled(found)

    def _hits(self, view: View) -> Iterator[Hit]:
        for detector in self._detectors:
            if hasattr(detector, "search"):
                hits = detector.search(view)
            elif hasattr(detector, "anchor"):
                hits = _near_anchors(detector, view)
            else:
                hits = detector.find(view.data)
            for hit in hits:
                if hit.confidence in self._told:
                    yield hit if hit.kind else replace(hit, kind=detector.name)

    def _parts(self, view: View, read: Read) -> Iterator[Decoded | Unread]:
        for codec in _USUAL:
            yield from codec.decoded(view, read)
        if view.places("exotic").size:
            for codec in _RARE:
                yield from codec.decoded(view, read)

    def _deeper(self, texts: list[_Text]) -> list[Hit | Unread]:
        found: list[Hit | Unread] = []
        while texts:
            following: list[_Text] = []
            for pool in _pools(texts):
                found += self._pool(pool, following)
            texts = following
        return found

    def _pool(self, texts: Sequence[_Text], following: list[_Text]) -> Iterator[Hit | Unread]:
        data = GUARD + GUARD.join(text.data for text in texts) + GUARD
        starts, place = [], len(GUARD)
        for text in texts:
            starts.append(place)
            place += len(text.data) + len(GUARD)
        view = View(data, self._machine(len(data)), starts=starts, columns=[text.column for text in texts])
        for hit in self._hits(view):
            number = bisect_right(starts, hit.start) - 1
            text, inner = texts[number], hit.start - starts[number]
            start = text.where(inner)
            if text.first <= start < text.last:
                end = text.where(max(inner, hit.end - starts[number] - 1)) + 1
                yield replace(hit, start=start, end=end, path=text.path, within=inner if text.inner else None)

        def read(place: int, most: int) -> bytes:
            number = bisect_right(starts, place) - 1
            return data[place : min(place + most, starts[number] + len(texts[number].data))]

        if len(texts[0].path) == DEPTH:
            return
        for part in self._parts(view, read):
            number = bisect_right(starts, part.start) - 1
            text, base = texts[number], starts[number]
            if isinstance(part, Unread):
                start = text.where(part.start - base)
                if text.first <= start < text.last:
                    yield Unread(start, part.why, text.path + part.path)
                continue
            key = key_before(data, part.start) or text.column
            following.append(_text(part, text.path, key, lambda place, text=text, base=base: text.where(place - base), text.first, text.last, text.inner))


def _text(part: Decoded, path, column: str, outer: Where, first: int, last: int, inner: bool = False) -> _Text:
    inside = part.where
    if inside is None:
        start = outer(part.start)
        return _Text(part.data, lambda _: start, (*path, part.encoding), column, first, last, True)
    return _Text(part.data, lambda place: outer(inside(place)), (*path, part.encoding), column, first, last, inner)


def _pools(texts: list[_Text]) -> Iterator[list[_Text]]:
    pool: list[_Text] = []
    size = 0
    for text in chain.from_iterable(map(_windows, texts)):
        if pool and size + len(text.data) > BLOCK:
            yield pool
            pool, size = [], 0
        pool.append(text)
        size += len(text.data) + len(GUARD)
    if pool:
        yield pool


def _windows(text: _Text) -> Iterator[_Text]:
    if len(text.data) <= BLOCK:
        yield text
        return
    for start in range(0, len(text.data), BLOCK - OVERLAP):
        yield replace(text, data=text.data[start : start + BLOCK], where=lambda place, start=start: text.where(start + place))


def _near_anchors(detector: Any, view: View) -> Iterator[Hit]:
    reach = getattr(detector, "reach", 256)
    for group in clusters(view.places(f"detector {detector.name}").tolist(), 2 * reach):
        left, right = view.within(group[0], group[0] - reach, group[-1] + reach)
        for hit in detector.find(view.data[left:right]):
            yield replace(hit, start=left + hit.start, end=left + hit.end)


def _settled(found: list[Hit | Unread]) -> list[Hit | Unread]:
    return sorted(found, key=lambda one: one.start)
