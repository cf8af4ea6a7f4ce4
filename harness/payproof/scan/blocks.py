"""Cuts a stream of bytes into blocks that overlap, so that what stands across a seam is whole in one of them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from payproof.scan.view import GUARD

__all__ = ["BLOCK", "MOST", "OVERLAP", "Blocks", "StreamBlock"]

BLOCK = 1024 * 1024
OVERLAP = 4096  # longer than any value in three encodings, one within the other
#: The most bytes of a block, overlaps and guards included.
MOST = BLOCK + 2 * OVERLAP + 2 * len(GUARD)

_HEAD = 2 * OVERLAP + len(GUARD)  # where a chunk begins in a buffer; the end of the one before stands before it


@dataclass(frozen=True, slots=True)
class StreamBlock:
    """Part of a stream, in a buffer that the next but one block is put in.

    It is ``data[begin:end]``, and ``data[0]`` would be at the offset ``start`` of the stream; what begins from
    ``first`` to ``last`` is the block's own.
    """

    data: bytes | bytearray = field(repr=False)
    begin: int
    end: int
    first: int
    last: int
    start: int

    @classmethod
    def of(cls, data: bytes) -> "StreamBlock":
        """Return all of a stream as one block."""
        guard = len(GUARD)
        return cls(GUARD + data + GUARD, 0, len(data) + 2 * guard, guard, guard + len(data), -guard)


class Blocks:
    """The blocks of a stream of chunks of any size.

    A chunk is copied before the next one is asked for, so that a source may use its memory again. Where ``own`` says
    how many bytes are asked for, the blocks end soon after them, and the stream is read further only by ``read``.
    """

    def __init__(self, chunks: Iterable[bytes | bytearray | memoryview], own: int | None = None) -> None:
        self._chunks = iter(chunks)
        self._left = 1 << 62 if own is None else own + OVERLAP  # bytes that are still to be in a block
        self._rest = memoryview(b"")
        self._ahead: deque[bytes] = deque()
        self._following = b""

    def __iter__(self) -> Iterator[StreamBlock]:
        buffer, other = bytearray(_HEAD + BLOCK + len(GUARD)), bytearray(_HEAD + BLOCK + len(GUARD))
        begin, first, start = _HEAD - len(GUARD), _HEAD, -_HEAD
        buffer[begin:first] = GUARD
        size = self._fill(buffer)
        while True:
            following = self._fill(other)
            end = last = _HEAD + size
            if following:
                last -= OVERLAP
            else:
                buffer[end : end + len(GUARD)] = GUARD
                end += len(GUARD)
            self._block = StreamBlock(buffer, begin, end, first, last, start)
            self._next = memoryview(other)[_HEAD : _HEAD + following]
            yield self._block
            if not following:
                return
            begin, first, start = _HEAD - 2 * OVERLAP, _HEAD - OVERLAP, start + size
            other[begin:_HEAD] = buffer[end - 2 * OVERLAP : end]
            buffer, other, size = other, buffer, following

    def read(self, place: int, most: int) -> bytes:
        """Return the stream's bytes from a place in the present block on, up to so many, beyond the block too."""
        block = self._block
        end = block.end if self._next else block.end - len(GUARD)
        parts = [bytes(block.data[place : min(end, place + most)])]
        missing, skipped = most - len(parts[0]), max(0, place - end)
        if missing > 0 and self._rest:
            self._ahead.appendleft(bytes(self._rest))
            self._rest = memoryview(b"")
        number = -1  # the next block comes before what was read ahead
        while missing > 0 and (number < len(self._ahead) or self._read_ahead()):
            chunk = self._next if number < 0 else self._ahead[number]
            parts.append(bytes(chunk[skipped : skipped + missing]))
            missing -= len(parts[-1])
            skipped = max(0, skipped - len(chunk))
            number += 1
        return b"".join(parts)

    def _fill(self, buffer: bytearray) -> int:
        """Copy a block's size of new bytes, or what there is, and return how many."""
        size, most = 0, min(BLOCK, self._left)
        while size < most:
            if not self._rest:
                chunk = self._ahead.popleft() if self._ahead else next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            part = self._rest[: most - size]
            buffer[_HEAD + size : _HEAD + size + len(part)] = part
            self._rest = self._rest[len(part) :]
            size += len(part)
        self._left -= size
        return size

    def _read_ahead(self) -> bool:
        """Keep one more chunk of the stream, if there is one."""
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._ahead.append(bytes(chunk))
        return chunk is not None
