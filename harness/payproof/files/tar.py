"""The entries of a tar file, each a stream; nothing that a header states is believed."""

import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

from payproof.files.streams import CHUNK, MIB, DamagedError, Stream, why

__all__ = ["tar_entries"]

_MOST_HEADER = MIB  # of one entry, with all that belongs to it: it is read into memory
_MOST_ENDS = 8  # reads behind the end: the library goes on reading until it has passed over what a header states
_HOLE = 4096  # zeros that stand for a hole of any size


def tar_entries(stream: Stream) -> Iterator[tuple[str, Stream]]:
    """Yield the name of each file with its bytes; it must be read before the next one is asked for.

    Raises:
        tarfile.TarError, OSError, EOFError, ValueError, DamagedError: it cannot be read, or not further.
    """
    source: Any = _Ending(stream)
    with tarfile.open(fileobj=source, mode="r|", tarinfo=_Header, errorlevel=1) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            if member.isreg():
                yield member.name, _open_member(archive, member)


class _Ending:
    """A stream that is an error where it is read on and on behind its end."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self._ends = stream, 0

    def read(self, size: int, /) -> bytes:
        part = self._stream.read(size)
        self._ends += not part
        if self._ends > _MOST_ENDS:
            raise DamagedError("it is cut")
        return part


class _Limited:
    """A file that headers are read from: so many bytes and no more."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, _MOST_HEADER
        self.tell, self.seek = file.tell, file.seek

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise tarfile.ReadError("a header is too long")
        return bytes(self._file.read(size))


class _Header(tarfile.TarInfo):
    """An entry's header of bounded size, with those that stand before it and belong to it."""

    def _proc_member(self, archive: Any) -> tarfile.TarInfo:
        proceed: Any = super()
        file = archive.fileobj
        if not isinstance(file, _Limited):
            archive.fileobj = _Limited(file)
        try:
            made: tarfile.TarInfo = proceed._proc_member(archive)  # noqa: SLF001 (the only place to bound it)
        finally:
            archive.fileobj = file
        return made


class _Member:
    """An entry, whose errors count as damage."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self._inner.read(min(size, CHUNK)))
        except DamagedError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever the library raises costs this entry)
            raise DamagedError(f"damaged or cut: {why(error)}") from None


class _Sparse(_Member):
    """An entry with holes, which may be as large as a header likes to say: of each there are a few zeros."""

    def __init__(self, inner: Any, parts: Sequence[tuple[int, int]]) -> None:
        super().__init__(inner)
        self._parts, self._left, self._end = iter(parts), 0, 0

    def read(self, size: int, /) -> bytes:
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return b""
            start, self._left = part
            hole, self._end = start - self._end, start + self._left
            self._inner.seek(start)
            if hole:
                return bytes(min(hole, _HOLE))
        data = super().read(min(size, self._left))
        self._left -= len(data)
        return data


class _BrokenMember:
    def __init__(self, problem: str) -> None:
        self._problem = problem

    def read(self, _size: int, /) -> bytes:
        raise DamagedError(self._problem)


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Stream:
    stated: Any = member.sparse
    if stated is None:
        return _Member(archive.extractfile(member))
    parts = [(start, size) for start, size in stated if size]  # places that are not needed say nothing
    end = 0
    for start, size in parts:
        if start < end or size < 0 or start + size > member.size:
            # The library would look for its bytes for ever.
            return _BrokenMember("damaged or cut: its parts are not in order")
        end = start + size
    file: Any = archive.extractfile(member)
    return _Sparse(file.raw, parts)  # without the library's buffer, which wants a stream that goes back
