"""Compressed data, decompressed in small steps, so that each of its bounds is looked at before memory is taken."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from payproof.extras import install
from payproof.files.streams import CHUNK, MIB, Bounds, DamagedError, Stream, why

__all__ = ["COMPRESSIONS", "ZIP_METHODS", "decompress"]

_MOST_MEMORY = 64 * MIB  # of a decompressor
_FED = 4096  # bytes at a time: what is behind a frame is copied once for each frame, however short frames are
_FED_ZSTD = 128  # a block of four bytes may be one of 128 KiB, and the library makes all of what it is fed
_ZIP_LZMA = struct.Struct("<2xH")  # version, length of the properties
_LZMA = struct.Struct("<BL")


class _Decoder(Protocol):
    """One frame, as ``bz2`` and ``lzma`` decode it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflater:
    """Deflate in the shape of the other decoders; ``bits`` are those of zlib."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail or data, max_length)


class _Zstandard:
    """A frame of zstd in the shape of the other decoders; the library's own reader does not say where data is cut."""

    def __init__(self, inner: Any, error: type[Exception]) -> None:
        self._inner, self._error = inner, error
        self._made = memoryview(b"")

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._made

    @property
    def needs_input(self) -> bool:
        return not self._made

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if data:
            try:
                self._made = memoryview(self._inner.decompress(data))
            except self._error as error:
                raise ValueError(str(error)) from None
        part, self._made = self._made[:max_length], self._made[max_length:]
        return bytes(part)


class _Frames:
    """A stream of frames, one behind the other, with zeros between them as ``tar`` and ``xz`` pad."""

    def __init__(self, stream: Stream, make: Callable[[], _Decoder], fed: int = _FED) -> None:
        self._stream, self._make, self._fed = stream, make, fed
        self._inner: _Decoder | None = make()
        self._chunk, self._at = b"", 0

    def read(self, size: int, /) -> bytes:
        """Return decompressed bytes; none at the end.

        Raises:
            EOFError: the data is cut.
        """
        while True:
            if self._inner is None:
                if not self._next_frame():
                    return b""
                self._inner = self._make()
            hungry = self._inner.needs_input
            fed = self._next() if hungry else b""
            made = self._inner.decompress(fed, size)
            if self._inner.eof:
                self._at -= len(self._inner.unused_data)
                self._inner = None
            elif hungry and not fed and not made:
                raise EOFError
            if made:
                return made

    def _next(self) -> bytes:
        if self._at == len(self._chunk):
            self._chunk, self._at = self._stream.read(CHUNK), 0
        part = self._chunk[self._at : self._at + self._fed]
        self._at += len(part)
        return part

    def _next_frame(self) -> bool:
        """Pass over zeros, and return whether anything is behind them."""
        while part := self._next():
            left = len(part.lstrip(b"\0"))
            if left:
                self._at -= left
                return True
        return False


def _gzip(stream: Stream) -> Stream:
    return _Frames(stream, lambda: _Inflater(zlib.MAX_WBITS | 16))


def _deflate(stream: Stream) -> Stream:
    return _Frames(stream, lambda: _Inflater(-zlib.MAX_WBITS))


def _bzip2(stream: Stream) -> Stream:
    return _Frames(stream, bz2.BZ2Decompressor)


def _xz(stream: Stream) -> Stream:
    return _Frames(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY))


def _zstd(stream: Stream) -> Stream:
    try:
        import zstandard  # noqa: PLC0415 (only an extra has it)
    except ImportError:
        raise DamagedError(f"reading zstd needs {install('zstandard')}") from None
    frames = zstandard.ZstdDecompressor(max_window_size=_MOST_MEMORY)
    return _Frames(stream, lambda: _Zstandard(frames.decompressobj(), zstandard.ZstdError), _FED_ZSTD)


def _zip_lzma(stream: Stream) -> Stream:
    """Read what a zip file calls LZMA (APPNOTE 5.8.8): the properties, and data without a header of its own."""
    (length,) = _ZIP_LZMA.unpack(_exactly(stream, _ZIP_LZMA.size))
    if length != _LZMA.size:
        raise DamagedError("the properties of its LZMA data are not as long as they must be")
    packed, memory = _LZMA.unpack(_exactly(stream, length))
    if memory > _MOST_MEMORY:
        raise DamagedError(f"its LZMA data needs more than {_MOST_MEMORY // MIB} MiB of memory")
    rest, lc = divmod(packed, 9)
    pb, lp = divmod(rest, 5)
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": max(memory, 4096), "lc": lc, "lp": lp, "pb": pb}]
    return _Frames(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters))


def _exactly(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


#: How compressed data begins, what it is called, and what reads it.
COMPRESSIONS: tuple[tuple[bytes, str, Callable[[Stream], Stream]], ...] = (
    (b"\x1f\x8b\x08", "gzip", _gzip),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\0", "xz", _xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
)

#: What reads the entries of zip files, by the numbers of APPNOTE 4.4.5.
ZIP_METHODS: Mapping[int, Callable[[Stream], Stream]] = {
    0: lambda stream: stream,
    8: _deflate,
    12: _bzip2,
    14: _zip_lzma,
    93: _zstd,
    95: _xz,
}


class _Decompressed:
    def __init__(self, name: str, inner: Stream, bounds: Bounds) -> None:
        self._name, self._inner, self._bounds = name, inner, bounds

    def read(self, size: int, /) -> bytes:
        try:
            part = self._inner.read(min(size, CHUNK))
        except DamagedError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a decoder raises costs this data, and no other)
            told = "" if isinstance(error, EOFError) else f": {why(error)}"
            raise DamagedError(f"the {self._name} data is damaged or cut{told}") from None
        self._bounds.make(len(part))
        return part


def decompress(stream: Stream, name: str, reader: Callable[[Stream], Stream], bounds: Bounds) -> Stream:
    """Return what compressed data says; reading it raises DamagedError where it is damaged, cut or a bomb."""
    return _Decompressed(name, reader(stream), bounds)
