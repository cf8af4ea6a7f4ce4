"""Searches bytes for what detectors know, in every encoding: one pass over the data serves all of them."""

import pickle
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.scan import digits
from payproof.scan.blocks import BLOCK, MOST, Blocks, StreamBlock
from payproof.scan.budget import DecodingBudget
from payproof.scan.characters import HIGH
from payproof.scan.codecs import base64, compressed, escapes, hexadecimal, numerals, utf16
from payproof.scan.compiled import Runs, machine
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector, PreparedDetector
from payproof.scan.pieces import DecodedPart, Read, Unread, cluster_places
from payproof.scan.settle import count_alike, drop_inner, settle_hits
from payproof.scan.streams import Bits, Program, plane
from payproof.scan.texts import Pool, Text, pools
from payproof.scan.view import GUARD, View

__all__ = ["DEPTH", "Found", "Scanner"]

DEPTH = 3  # encodings, one within the other

Found = Hit | Unread

_SIZES = (4096, 65536, MOST)  # of texts, for each of which there is a machine
_TOGETHER = 16  # blocks of which the decoded parts are searched together
_MANY = 4096  # decoded parts that are not kept waiting
_WAITING = 4 * 1024 * 1024  # decoded bytes that are not kept waiting
_MOST_HITS = 2000  # of one kind in one block: a list of card numbers would fill the memory with what is known after one
_MOST_LOOKS = 4096  # at single values of one sort in one text: no input makes a search stand still
_MOST_TOLD = 50_000  # hits in what is encoded in some blocks

# What needs looking for in every text, and what only where there are bytes above 7F, or control characters.
_USUAL = (base64, hexadecimal, escapes)
_UNUSUAL = (utf16, numerals, compressed)
_CONTROL = ~(plane(6) | plane(5) | plane(3))  # 00 to 07 and 10 to 17: every format with others has these or those above


class Scanner:
    """Detectors bound to machines, of which each thread has its own.

    What a detector is given of each text depends on its base class: see ``payproof.scan.detector``.

    Args:
        detectors: what to look for.
        at_least: the confidence from which on hits are reported.
    """

    def __init__(self, detectors: Iterable[Detector], at_least: Confidence = Confidence.MEDIUM) -> None:
        self._detectors = tuple(detectors)
        self._at_least = at_least
        self._reported = frozenset(one for one in Confidence if one.rank >= at_least.rank)
        self._countable = frozenset(one.name for one in self._detectors if one.countable)
        self._own = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_scanner, (pickle.dumps((self._detectors, self._at_least)),)

    def scan(self, data: bytes, column: str = "") -> list[Found]:
        """Search bytes; ``column`` is what they are called, where they do not say it themselves."""
        if len(data) > BLOCK:
            return list(self.stream((data,), column))
        return list(
            self._search_blocks((StreamBlock.of(data),), lambda place, most: data[place - len(GUARD) :][:most], column)
        )

    def stream(self, chunks: Iterable[bytes | bytearray | memoryview], column: str = "") -> Iterator[Found]:
        """Search a stream of chunks of any size, in bounded memory; what is found comes in the order of the data.

        A chunk's memory may be used again when the next one is asked for.
        """
        blocks = Blocks(chunks)
        return self._search_blocks(blocks, blocks.read, column)

    def part(self, chunks: Iterable[bytes | bytearray | memoryview], before: int, length: int) -> list[Found]:
        """Search a part of a stream: what begins in the bytes from ``before`` on, which are so many.

        The chunks go on behind them for as long as they are asked for. Offsets are of the bytes after ``before``.
        """
        blocks = Blocks(chunks, before + length)
        found = self._search_blocks(blocks, blocks.read, "")
        own = (one for one in found if before <= one.start < before + length)
        return [_shift(one, -before) for one in own]

    def texts(self, texts: Iterable[Text]) -> list[tuple[Any, Found]]:
        """Search texts together; each finding comes with its text's source."""
        found: list[tuple[Any, Found]] = []
        self._search(texts, found, DecodingBudget())
        return found

    def _search(self, texts: Iterable[Text], found: list[tuple[Any, Found]], budget: DecodingBudget) -> None:
        """Search texts, and what is decoded from them as soon as it is much."""
        decoded: list[Text] = []
        size = 0
        for pool in pools(texts):
            known = len(decoded)
            if len(found) < _MOST_TOLD:
                found += count_alike(self._search_pool(pool, decoded, budget), self._countable, _MOST_HITS)
            else:
                text = pool.texts[0]
                why = f"more than {_MOST_TOLD} hits in what is encoded: the rest is not reported"
                found.append((text.source, Unread(text.where(0), why, text.path)))
                return
            size += sum(len(text.data) for text in decoded[known:])
            if size > _WAITING:
                self._search(decoded, found, budget)
                decoded, size = [], 0
        if decoded:
            self._search(decoded, found, budget)

    def _search_blocks(self, blocks: Iterable[StreamBlock], read: Read, column: str) -> Iterator[Found]:
        found: list[Found] = []
        decoded: list[Text] = []
        size = 0
        for number, block in enumerate(blocks, 1):
            whole = Text(
                b"", lambda place: place, column=column, first=block.start + block.first, last=block.start + block.last
            )
            view = View(
                block.data,
                self._machine(block.end - block.begin),
                begin=block.begin,
                end=block.end,
                columns=(column,),
                at_least=self._at_least,
                most=_MOST_LOOKS,
            )
            start = block.start
            own = []
            for one in self._find_all(view, read, DecodingBudget()):
                if isinstance(one, DecodedPart):
                    key = key_before(block.data, one.start).text or column
                    size += max(len(one.data), one.end - one.start)
                    decoded.append(whole.part(one, -start, key))
                elif block.first <= one.start < block.last:
                    own.append((None, one))
            found += (_shift(one, start) for _, one in count_alike(own, self._countable, _MOST_HITS))
            if number % _TOGETHER == 0 or size > _WAITING or len(decoded) + len(found) > _MANY:
                yield from self._settle_found(found, decoded)
                found, decoded, size = [], [], 0
        yield from self._settle_found(found, decoded)

    def _settle_found(self, found: list[Found], decoded: list[Text]) -> Iterator[Found]:
        found += (one for _, one in self.texts(decoded))
        unread = [one for one in found if isinstance(one, Unread)]
        settled: list[Found] = [*settle_hits(one for one in found if isinstance(one, Hit)), *unread]
        return iter(sorted(settled, key=lambda one: one.start))

    def _search_pool(self, pool: Pool, decoded: list[Text], budget: DecodingBudget) -> Iterator[tuple[Any, Found]]:
        view = pool.view(self._machine(len(pool.data)), self._at_least, _MOST_LOOKS)
        deepest = len(pool.texts[0].path) == DEPTH
        for one in self._find_all(view, pool.read, None if deepest else budget):
            text, begin = pool.at(one.start)
            if isinstance(one, DecodedPart):
                key = key_before(pool.data, one.start).text or text.column
                decoded.append(text.part(one, begin, key))
                continue
            inner = one.start - begin
            start = text.where(inner)
            if not (text.begin <= inner < text.end and text.first <= start < text.last):
                continue
            if isinstance(one, Unread):
                yield text.source, Unread(start, one.why, text.path + one.path)
            else:
                end = text.where(one.end - begin - 1) + 1
                yield (
                    text.source,
                    replace(one, start=start, end=end, path=text.path, within=inner if text.inner else None),
                )

    def _find_all(self, view: View, read: Read, budget: DecodingBudget | None) -> Iterator[Hit | DecodedPart | Unread]:
        """Return what is in one text, and what is encoded in it, as far as a budget lasts."""
        found = list(self._find_hits(view))
        yield from drop_inner(one for one in found if isinstance(one, Hit))
        yield from (one for one in found if isinstance(one, Unread))
        yield from (Unread(place, f"{why}: the rest was not judged") for place, why in view.unread)
        unusual = view.places("unusual").size > 0
        if budget is None:
            yield from compressed.find_deeper(view) if unusual else ()
        else:
            codecs = _USUAL + _UNUSUAL if unusual else _USUAL
            yield from budget.limit(one for codec in codecs for one in codec.decode(view, read))

    def _find_hits(self, view: View) -> Iterator[Found]:
        for detector in self._detectors:
            hits = (hit for hit in _run_detector(detector, view) if hit.confidence in self._reported)
            for number, hit in enumerate(hits):
                if number == _MOST_HITS and detector.name not in self._countable:
                    yield Unread(
                        hit.start,
                        f"more than {_MOST_HITS} hits of {detector.name} in one block: the rest is not reported",
                    )
                    break
                yield replace(hit, kind=detector.name)

    def _machine(self, size: int) -> Runs:
        most = next(one for one in _SIZES if size <= one)
        machines: dict[int, Runs] = self._own.__dict__.setdefault("machines", {})
        known = machines.get(most)
        if known is None:
            known = machines[most] = machine(self._programs, most)
        return known

    @cached_property
    def _programs(self) -> tuple[Program, Program]:
        usual: dict[str, Bits] = {**digits.STREAMS, "unusual": HIGH | _CONTROL}
        unusual: dict[str, Bits] = {}
        for codec in _USUAL:
            usual |= codec.STREAMS
        for codec in _UNUSUAL:
            unusual |= codec.STREAMS
        for detector in self._detectors:
            if isinstance(detector, AnchoredDetector | PreparedDetector) and detector.anchor is not None:
                usual[f"detector {detector.name}"] = detector.anchor
        return Program(usual), Program(unusual)


@cache
def _load_scanner(pickled: bytes) -> Scanner:
    """Return a scanner that was sent to this process, the same one each time it is sent."""
    return Scanner(*pickle.loads(pickled))  # noqa: S301 (from __reduce__ above: who sent this has sent pickles before)


def _shift(one: Found, by: int) -> Found:
    return (
        replace(one, start=one.start + by, end=one.end + by)
        if isinstance(one, Hit)
        else replace(one, start=one.start + by)
    )


def _run_detector(detector: Detector, view: View) -> Iterable[Hit]:
    if isinstance(detector, PreparedDetector):
        yield from detector.search(view)
    elif isinstance(detector, AnchoredDetector):
        before, after = detector.reach
        places = view.places(f"detector {detector.name}").tolist()
        begins = detector.begins
        if begins is not None:
            places = [place for place in places if begins.match(view.data, place)]
        for group in cluster_places(view, places, before + after):
            left, right = view.within(group[0], group[0] - before, group[-1] + after)
            for hit in detector.find(bytes(view.data[left:right])):
                yield replace(hit, start=left + hit.start, end=left + hit.end)
    else:
        for hit in detector.find(bytes(view.data[view.begin : view.end])):
            yield replace(hit, start=view.begin + hit.start, end=view.begin + hit.end)
