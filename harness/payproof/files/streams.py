"""Streams that are read once from beginning to end: looked ahead into, counted, bounded."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["CHUNK", "MIB", "Ahead", "Bounds", "DamagedError", "Stream", "count_reads", "why"]

MIB = 1024 * 1024
CHUNK = 256 * 1024
_FREE = 256 * MIB  # of so much the ratio does not matter
_RATIO = 250


class DamagedError(Exception):
    """Data that cannot be read, or not further; the text says why."""


_FORESEEN = (
    *(DamagedError, EOFError, NotImplementedError, OSError, ValueError),
    *(lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error),
)


class Stream(Protocol):
    """Bytes to be read once."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none only at the end."""
        ...


@dataclass
class Bounds:
    """Bounds what may come out of one file in all: decompression that makes much more than was read is a bomb."""

    taken: int = 0
    made: int = 0

    def make(self, size: int) -> None:
        """Count decompressed bytes.

        Raises:
            DamagedError: they are too many.
        """
        self.made += size
        if self.made > _FREE and self.made > _RATIO * self.taken:
            raise DamagedError(f"it expands more than {_RATIO} times: the rest was not read")


class Ahead:
    """A stream of which the beginning can be looked at before it is read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._head = b""
        self._error: Exception | None = None

    def peek(self, size: int) -> bytes:
        """Return the next bytes, fewer only where the stream ends or is damaged; reading on then raises the error."""
        while len(self._head) < size and self._error is None:
            try:
                more = self._stream.read(size - len(self._head))
            except Exception as error:  # noqa: BLE001 (whatever it is, it is raised where it can be reported)
                self._error = error
                break
            if not more:
                break
            self._head += more
        return self._head[:size]

    def read(self, size: int = CHUNK) -> bytes:
        """Return at most so many bytes; none only at the end."""
        if not self._head:
            if self._error is not None:
                raise self._error
            return self._stream.read(size)
        part, self._head = self._head[:size], self._head[size:]
        return part


class _CountingStream:
    def __init__(self, stream: Stream, count: Callable[[int], None]) -> None:
        self._stream, self._count = stream, count

    def read(self, size: int = CHUNK, /) -> bytes:
        # A decompressor is asked for little at a time, so that a bomb is noticed before it is in memory.
        part = self._stream.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self._count(len(part))
        return part


def count_reads(stream: Stream, count: Callable[[int], None]) -> Stream:
    """Return the stream, of which each read is counted."""
    return _CountingStream(stream, count)


def why(error: Exception) -> str:
    """Return on one line why something cannot be read; of an error that nobody foresaw, what it is called."""
    if not isinstance(error, _FORESEEN):
        return type(error).__name__
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())
