"""Reads what is in a file: itself, or the entries of an archive, decompressed on the way, to a depth, never on disk."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from payproof.files.decompression import COMPRESSIONS, decompress
from payproof.files.streams import CHUNK, MIB, Ahead, Bounds, DamagedError, Stream, count_reads, why
from payproof.files.tar import tar_entries
from payproof.files.zip import zip_entries

__all__ = ["EntryRefused", "FileEntry", "read_entries"]

_ARCHIVES = 3
_COMPRESSIONS = 3
_MOST_ZIP = 32 * MIB  # of a zip file within another file: its directory is at its end
_TAR_MAGIC = 257
_HEAD = 512

#: Beginnings of what is packed in a way that is not read.
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x1f\x9d", "compress"),
    (b"LZIP", "lzip"),
    (b"\xff\x06\0\0sNaPpY", "snappy"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"Salted__", "encrypted"),
    (b"age-encryption.org/", "encrypted"),
)


@dataclass(frozen=True, slots=True)
class EntryRefused:
    """Something in a file that is not read, or not further: its names from the outside in, and why."""

    part: tuple[str, ...]
    why: str


@dataclass(slots=True)
class FileEntry:
    """Bytes to search, and what they are called: ``part`` from the outside in, ``path`` the compressions.

    ``refused`` is why they ended before their end, once they have been read.
    """

    part: tuple[str, ...]
    path: tuple[str, ...]
    stream: Ahead = field(repr=False)
    refused: str = ""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, as far as they can be read."""
        try:
            while chunk := self.stream.read(CHUNK):
                yield chunk
        except Exception as error:  # noqa: BLE001 (whatever is wrong with an entry costs no other)
            self.refused = why(error)


@dataclass(frozen=True, slots=True)
class _Depth:
    part: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    archives: int = 0
    compressions: int = 0


def read_entries(stream: Stream, file: Any = None, size: int = 0) -> Iterator[FileEntry | EntryRefused]:
    """Yield what is in a stream; an entry must be read before the next one is asked for.

    Args:
        stream: the bytes.
        file: the same as a file in which positions can be sought, where there is one.
        size: how many bytes the file has.
    """
    bounds = Bounds()

    def count_taken(count: int) -> None:
        bounds.taken += count

    if file is not None:
        bounds.taken = size
        yield from _read_within(Ahead(stream), file, bounds, _Depth())
    else:
        yield from _read_within(Ahead(count_reads(stream, count_taken)), None, bounds, _Depth())


def _read_within(stream: Ahead, file: Any, bounds: Bounds, depth: _Depth) -> Iterator[FileEntry | EntryRefused]:
    head = stream.peek(_HEAD)
    for magic, name, reader in COMPRESSIONS:
        if head.startswith(magic):
            yield from _read_compressed(stream, name, reader, bounds, depth)
            return
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _read_archive(_read_zip, "zip", stream, file, bounds, depth)
    elif head[_TAR_MAGIC:].startswith(b"ustar"):
        yield from _read_archive(_read_tar, "tar", stream, file, bounds, depth)
    else:
        yield FileEntry(depth.part, depth.path, stream)
        yield from (
            EntryRefused(depth.part, f"{name} data is not read, only searched as it stands")
            for magic, name in _OTHERS
            if head.startswith(magic)
        )


def _read_compressed(
    stream: Ahead, name: str, reader: Callable[[Stream], Stream], bounds: Bounds, depth: _Depth
) -> Iterator[FileEntry | EntryRefused]:
    if depth.compressions == _COMPRESSIONS:
        yield EntryRefused(depth.part, f"compressed more than {_COMPRESSIONS} times")
        return
    try:
        inner = decompress(stream, name, reader, bounds)
    except DamagedError as error:
        yield EntryRefused(depth.part, why(error))
        return
    deeper = _Depth(depth.part, (*depth.path, name), depth.archives, depth.compressions + 1)
    yield from _read_within(Ahead(inner), None, bounds, deeper)


def _read_archive(
    opened: Callable[..., Iterator[tuple[str, Stream | str]]],
    name: str,
    stream: Ahead,
    file: Any,
    bounds: Bounds,
    depth: _Depth,
) -> Iterator[FileEntry | EntryRefused]:
    if depth.archives == _ARCHIVES:
        yield EntryRefused(depth.part, f"archives nested deeper than {_ARCHIVES}")
        return
    try:
        for entry_name, inner in opened(stream, file, bounds):
            part = (*depth.part, entry_name)
            if isinstance(inner, str):
                yield EntryRefused(part, inner)
            else:
                deeper = _Depth(part, (*depth.path, name), depth.archives + 1, 0)
                yield from _read_within(Ahead(inner), None, bounds, deeper)
    except Exception as error:  # noqa: BLE001 (whatever is wrong with an archive costs nothing beside it)
        yield EntryRefused(depth.part, f"the {name} file is damaged: {why(error)}")


def _read_tar(stream: Ahead, _file: Any, _bounds: Bounds) -> Iterator[tuple[str, Stream | str]]:
    yield from tar_entries(stream)


def _read_zip(stream: Ahead, file: Any, bounds: Bounds) -> Iterator[tuple[str, Stream | str]]:
    yield from zip_entries(_hold(stream) if file is None else file, bounds)


def _hold(stream: Ahead) -> io.BytesIO:
    """Return a zip file within another file in memory: what is in it stands at its end."""
    held = io.BytesIO()
    while chunk := stream.read(CHUNK):
        held.write(chunk)
        if held.tell() > _MOST_ZIP:
            raise DamagedError(f"a zip file within another file is read up to {_MOST_ZIP // MIB} MiB only")
    return held
