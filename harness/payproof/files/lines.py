"""Finds the line and the column of a place in a stream that is read once."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

__all__ = ["Lines"]

_KEPT = 24 * 1024 * 1024  # bytes that are kept, more than a search is behind what it has read
_LONGEST_LINE = 2048  # bytes of a line that are looked at on either side


class Lines:
    """Tells lines and columns of offsets in a stream that passes by; only its latest bytes are kept."""

    def __init__(self) -> None:
        self.size = 0
        self._passed = 0  # lines that ended so far
        self._line_start = 0
        self._kept: deque[tuple[int, int, int, bytes]] = deque()
        self._held = 0

    def following(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks, remembering where lines begin."""
        for chunk in chunks:
            self._kept.append((self.size, self._passed, self._line_start, chunk))
            self._held += len(chunk)
            while self._held > _KEPT and len(self._kept) > 1:
                self._held -= len(self._kept.popleft()[3])
            ended = chunk.count(b"\n")
            if ended:
                self._passed += ended
                self._line_start = self.size + chunk.rindex(b"\n") + 1
            self.size += len(chunk)
            yield chunk

    def at(self, offset: int) -> tuple[int | None, int | None]:
        """Return the line and the column in bytes, from 1, of an offset; None where its bytes are no longer kept."""
        number = bisect_right(self._kept, offset, key=lambda one: one[0]) - 1
        if number < 0:
            return None, None
        start, passed, line_start, chunk = self._kept[number]
        inner = offset - start
        begun = chunk.rfind(b"\n", 0, inner)
        begin = line_start if begun < 0 else start + begun + 1
        return passed + chunk.count(b"\n", 0, inner) + 1, offset - begin + 1

    def text_at(self, offset: int) -> bytes:
        """Return the line that an offset is in, as far as it stands in one chunk and is no longer than 4 KiB."""
        number = bisect_right(self._kept, offset, key=lambda one: one[0]) - 1
        if number < 0:
            return b""
        start, _, _, chunk = self._kept[number]
        inner = offset - start
        end = chunk.find(b"\n", inner, inner + _LONGEST_LINE)
        begin = chunk.rfind(b"\n", max(0, inner - _LONGEST_LINE), inner) + 1
        return chunk[begin or max(0, inner - _LONGEST_LINE) : inner + _LONGEST_LINE if end < 0 else end]
