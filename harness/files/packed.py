"""What is in a file: itself, or the entries of an archive, decompressed on the way, to a depth, never on disk."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.files.streams import CHUNK, COMPRESSIONS, Ahead, Bounds, DamagedError, Stream, counted, decompressed

__all__ = ["Entry", "Refused", "entries"]

_ARCHIVES = 3
_COMPRESSIONS = 3
_MOST_ZIP = 32 * 1024 * 1024  # of a zip file within another file: its directory is at its end
_MOST_HEADER = 1024 * 1024  # of one entry of a tar file
_TAR_MAGIC = 257
_HEAD = 512
_ENCRYPTED = 1

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
class Refused:
    """Something in a file that is not read, or not further: its names from the outside in, and why."""

    part: tuple[str, ...]
    why: str


@dataclass(slots=True)
class Entry:
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
        except (DamagedError, OSError) as error:
            self.refused = _why(error)


@dataclass(frozen=True, slots=True)
class _Depth:
    part: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    archives: int = 0
    compressions: int = 0


def entries(stream: Stream, file: Any = None, size: int = 0) -> Iterator[Entry | Refused]:
    """Yield what is in a stream; an entry must be read before the next one is asked for.

    Args:
        stream: the bytes.
        file: the same as a file in which positions can be sought, where there is one.
        size: how many bytes the file has.
    """
    bounds = Bounds()

    def taken(count: int) -> None:
        bounds.taken += count

    if file is not None:
        bounds.taken = size
        yield from _within(Ahead(stream), file, bounds, _Depth())
    else:
        yield from _within(Ahead(counted(stream, taken)), None, bounds, _Depth())


def _within(stream: Ahead, file: Any, bounds: Bounds, depth: _Depth) -> Iterator[Entry | Refused]:
    head = stream.peek(_HEAD)
    for magic, name, reader in COMPRESSIONS:
        if head.startswith(magic):
            yield from _decompressed(stream, name, reader, bounds, depth)
            return
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _nested(_zip, "zip", stream, file, bounds, depth)
    elif head[_TAR_MAGIC:].startswith(b"ustar"):
        yield from _nested(_tar, "tar", stream, file, bounds, depth)
    else:
        yield Entry(depth.part, depth.path, stream)
        yield from (
            Refused(depth.part, f"{name} data is not read, only searched as it stands")
            for magic, name in _OTHERS
            if head.startswith(magic)
        )


def _decompressed(
    stream: Ahead, name: str, reader: Callable[[Stream], Stream], bounds: Bounds, depth: _Depth
) -> Iterator[Entry | Refused]:
    if depth.compressions == _COMPRESSIONS:
        yield Refused(depth.part, f"compressed more than {_COMPRESSIONS} times")
        return
    try:
        inner = decompressed(stream, name, reader, bounds)
    except DamagedError as error:
        yield Refused(depth.part, _why(error))
        return
    deeper = _Depth(depth.part, (*depth.path, name), depth.archives, depth.compressions + 1)
    yield from _within(Ahead(inner), None, bounds, deeper)


def _nested(
    opened: Callable[..., Iterator[Entry | Refused]], name: str, stream: Ahead, file: Any, bounds: Bounds, depth: _Depth
) -> Iterator[Entry | Refused]:
    if depth.archives == _ARCHIVES:
        yield Refused(depth.part, f"archives nested deeper than {_ARCHIVES}")
        return
    deeper = _Depth(depth.part, (*depth.path, name), depth.archives + 1, 0)
    try:
        yield from opened(stream, file, bounds, deeper)
    except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError, DamagedError) as error:
        yield Refused(depth.part, f"the {name} file is damaged: {_why(error)}")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        yield Refused(depth.part, f"the {name} file cannot be read further: {_why(error)}")


class _Header(tarfile.TarInfo):
    """An entry's header, of bounded size: it is read into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size > _MOST_HEADER and self.type in _HEADERS:
            raise tarfile.ReadError("a header is too long")
        proceed: Any = super()
        made: tarfile.TarInfo = proceed._proc_member(archive)  # noqa: SLF001 (the only place where it can be bounded)
        return made


_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def _tar(stream: Ahead, _file: Any, bounds: Bounds, depth: _Depth) -> Iterator[Entry | Refused]:
    source: Any = stream
    with tarfile.open(fileobj=source, mode="r|", tarinfo=_Header, errorlevel=1) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            inner = archive.extractfile(member) if member.isreg() else None
            if inner is not None:
                deeper = _Depth((*depth.part, member.name), depth.path, depth.archives, depth.compressions)
                yield from _within(Ahead(_Member(inner)), None, bounds, deeper)


class _Member:
    """An entry, whose errors are told as damage."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self._inner.read(min(size, CHUNK)))
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, ValueError, NotImplementedError) as error:
            raise DamagedError(f"damaged or cut: {_why(error)}") from None


def _zip(stream: Ahead, file: Any, bounds: Bounds, depth: _Depth) -> Iterator[Entry | Refused]:
    if file is None:
        held = io.BytesIO()
        while chunk := stream.read(CHUNK):
            held.write(chunk)
            if held.tell() > _MOST_ZIP:
                most = _MOST_ZIP // 2**20
                raise DamagedError(f"a zip file within another file is read up to {most} MiB only")
        file = held
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            part = (*depth.part, member.filename)
            if member.flag_bits & _ENCRYPTED:
                yield Refused(part, "it is encrypted")
                continue
            try:
                inner = archive.open(member)
            except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
                yield Refused(part, _why(error))
                continue
            with inner:
                deeper = _Depth(part, depth.path, depth.archives, depth.compressions)
                yield from _within(Ahead(counted(_Member(inner), bounds.make)), None, bounds, deeper)


def _why(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())
