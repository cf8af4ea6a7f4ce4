"""The search of parts of large data by whatever executor is handed in, in order and in bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Protocol

from payproof.domain.detector import Hit
from payproof.scan.blocks import OVERLAP
from payproof.scan.scanner import Found, Scanner

__all__ = ["BEFORE", "Part", "scan_parts"]

#: How many bytes before a part it is read from, where there are so many.
BEFORE = 2 * OVERLAP


class Part(Protocol):
    """A part of some data that can be sent to another process and read there.

    ``start`` is its offset, and ``length`` how many bytes it has.
    """

    @property
    def start(self) -> int:
        """The offset in the data."""
        ...

    @property
    def length(self) -> int:
        """The number of bytes."""
        ...

    def chunks(self, before: int) -> Iterable[bytes | bytearray | memoryview]:
        """Return the bytes from so many before the part on, and on behind it for as long as they are asked for."""
        ...


def scan_parts(executor: Executor, scanner: Scanner, parts: Iterable[Part], at_once: int) -> Iterator[Found]:
    """Search parts of one piece of data, of which ``at_once`` are with the executor at any time.

    What is found comes in the order of the parts. What an executor raises for a part is raised here.
    """
    running: deque[Future[list[Found]]] = deque()
    try:
        for part in parts:
            running.append(executor.submit(_scan, scanner, part))
            if len(running) >= at_once:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        for future in running:
            future.cancel()


def _scan(scanner: Scanner, part: Part) -> list[Found]:
    before = min(part.start, BEFORE)
    found = scanner.part(part.chunks(before), before, part.length)
    return [_shift(one, part.start) for one in found]


def _shift(one: Found, start: int) -> Found:
    if isinstance(one, Hit):
        return replace(one, start=one.start + start, end=one.end + start)
    return replace(one, start=one.start + start)
