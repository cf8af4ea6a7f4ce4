"""Streams that are read once from beginning to end: looked ahead into, decompressed, bounded."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.extras import install

__all__ = ["CHUNK", "COMPRESSIONS", "Ahead", "Bounds", "DamagedError", "Stream", "counted", "decompressed"]

CHUNK = 256 * 1024
_MIB = 1024 * 1024
_FREE = 256 * _MIB  # of so much the ratio does not matter
_RATIO = 250
_MOST_MEMORY = 64 * _MIB  # of a decompressor
_FED = 128  # bytes of zstd data at a time


class DamagedError(Exception):
    """Data that cannot be read, or not further; the text says why."""


class Stream(Protocol):
    """Bytes to be read once."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none only at the end."""
        ...


@dataclass
class Bounds:
    """What may come out of one file in all: decompression that makes much more than was read is a bomb."""

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
        """Return the next bytes, fewer only where the stream ends or is damaged; reading on then tells how."""
        while len(self._head) < size and self._error is None:
            try:
                more = self._stream.read(size - len(self._head))
            except (DamagedError, OSError) as error:
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


class _Counted:
    def __init__(self, stream: Stream, count: Callable[[int], None]) -> None:
        self._stream, self._count = stream, count

    def read(self, size: int = CHUNK, /) -> bytes:
        # A decompressor is asked for little at a time, so that a bomb is told before it is in memory.
        part = self._stream.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self._count(len(part))
        return part


def counted(stream: Stream, count: Callable[[int], None]) -> Stream:
    """Return the stream, of which each read is counted."""
    return _Counted(stream, count)


class _Xz:
    """xz data, one stream behind the other; the standard library's file takes any memory that the data asks for."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._inner: lzma.LZMADecompressor | None = None
        self._left = b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self._inner is None or self._inner.eof:
                self._left = (self._inner.unused_data if self._inner else b"").lstrip(b"\0") or self._stream.read(CHUNK)
                self._left = self._left.lstrip(b"\0") if self._inner else self._left  # padding between streams
                if not self._left:
                    return b""
                self._inner = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
            fed = b""
            if self._inner.needs_input:
                fed, self._left = self._left or self._stream.read(CHUNK), b""
                if not fed:
                    raise EOFError
            made = self._inner.decompress(fed, size)
            if made:
                return made


class _Zstandard:
    """zstd data, one frame behind the other; the library's own reader does not tell where data is cut."""

    def __init__(self, stream: Stream) -> None:
        try:
            import zstandard  # noqa: PLC0415 (only an extra has it)
        except ImportError:
            raise DamagedError(f"reading zstd needs {install('zstandard')}") from None
        self._stream = stream
        self._error, self._damage = zstandard.ZstdError, ""
        self._frames = zstandard.ZstdDecompressor(max_window_size=_MOST_MEMORY)
        self._inner: Any = None
        self._left = self._made = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        parts: list[memoryview] = []
        missing = size
        while missing and (self._made or self._more()):
            parts.append(self._made[:missing])
            self._made = self._made[missing:]
            missing -= len(parts[-1])
        if self._damage and not parts:
            raise DamagedError(f"the zstd data is damaged or cut{self._damage}")
        return b"".join(parts)

    def _more(self) -> bool:
        """Decompress a little more; False at the end, or where it is damaged."""
        while not self._made and not self._damage:
            if not self._left:
                self._left = memoryview(self._stream.read(CHUNK))
            if not self._left:
                self._damage = " at its end" if self._inner is not None else ""
                return False
            if self._inner is None:
                self._inner = self._frames.decompressobj()
            # A block of four bytes may be one of 128 KiB.
            fed, self._left = self._left[:_FED], self._left[_FED:]
            try:
                self._made = memoryview(self._inner.decompress(fed))
            except self._error as error:
                self._damage = f": {error}"
                return False
            if self._inner.eof:
                self._left = memoryview(bytes(self._inner.unused_data) + bytes(self._left))
                self._inner = None
        return not self._damage


class _Partial:
    """A file that gives what it has before it tells that the rest is damaged."""

    def __init__(self, file: gzip.GzipFile | bz2.BZ2File) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        return self._file.read1(size)


def _gzip(stream: Stream) -> Stream:
    source: Any = stream
    return _Partial(gzip.GzipFile(fileobj=source, mode="rb"))


def _bzip2(stream: Stream) -> Stream:
    source: Any = stream
    return _Partial(bz2.BZ2File(source))


#: How compressed data begins, what it is called, and what reads it.
COMPRESSIONS: tuple[tuple[bytes, str, Callable[[Stream], Stream]], ...] = (
    (b"\x1f\x8b\x08", "gzip", _gzip),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\0", "xz", _Xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _Zstandard),
)


class _Decompressed:
    def __init__(self, name: str, inner: Stream, bounds: Bounds) -> None:
        self._name, self._inner, self._bounds = name, inner, bounds

    def read(self, size: int, /) -> bytes:
        try:
            part = self._inner.read(min(size, CHUNK))
        except (EOFError, lzma.LZMAError, zlib.error, OSError, ValueError) as error:
            raise DamagedError(f"the {self._name} data is damaged or cut{_told(error)}") from None
        self._bounds.make(len(part))
        return part


def _told(error: Exception) -> str:
    return f": {error}" if str(error) and not isinstance(error, EOFError) else ""


def decompressed(stream: Stream, name: str, reader: Callable[[Stream], Stream], bounds: Bounds) -> Stream:
    """Return what compressed data says; reading it raises DamagedError where it is damaged, cut or a bomb."""
    return _Decompressed(name, reader(stream), bounds)
