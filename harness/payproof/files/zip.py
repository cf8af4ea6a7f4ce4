"""The entries of a zip file, each a stream; nothing that its directory or a header states is believed."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from payproof.files.decompression import ZIP_METHODS, decompress
from payproof.files.streams import CHUNK, MIB, Bounds, DamagedError, Stream, why

__all__ = ["zip_entries"]

#: A directory is in memory, whole, and takes up to six times as much there.
_MOST_DIRECTORY = 16 * MIB
_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of name and extra field
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED, _PATCHED = 1, 1 << 5


def zip_entries(file: Any, bounds: Bounds) -> Iterator[tuple[str, Stream | str]]:
    """Yield the name of each entry with its bytes, or with why they cannot be read.

    An entry must be read before the next one is asked for.

    Raises:
        zipfile.BadZipFile, NotImplementedError, ValueError, OSError, DamagedError: its directory cannot be read.
    """
    with zipfile.ZipFile(_Bounded(file)) as archive:
        members = archive.infolist()
    for member in members:
        if member.is_dir():
            continue
        if member.flag_bits & _ENCRYPTED:
            yield member.filename, "it is encrypted"
            continue
        reader = ZIP_METHODS.get(member.compress_type)
        if reader is None or member.flag_bits & _PATCHED:
            yield member.filename, f"it is compressed in a way that is not read (method {member.compress_type})"
            continue
        try:
            # What is stored is counted too: many entries may share the bytes that they are copied from.
            inner = decompress(_Checked(reader(_Packed(file, member)), member), "zip", lambda stream: stream, bounds)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with an entry costs no other)
            yield member.filename, why(error)
        else:
            yield member.filename, inner


class _Bounded:
    """A file of which only so much is read at once: the library reads all of a directory, however long it is."""

    def __init__(self, file: Any) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = bytes(self._file.read(_MOST_DIRECTORY + 1 if size < 0 else min(size, _MOST_DIRECTORY + 1)))
        if len(data) > _MOST_DIRECTORY:
            raise DamagedError(f"its directory has more than {_MOST_DIRECTORY // MIB} MiB")
        return data


class _Packed:
    """The bytes of an entry as they stand in the file."""

    def __init__(self, file: Any, member: zipfile.ZipInfo) -> None:
        file.seek(member.header_offset)
        signature, name, extra = _HEADER.unpack(file.read(_HEADER.size).ljust(_HEADER.size, b"\0"))
        if signature != _SIGNATURE:
            raise DamagedError("it does not stand where the directory says")
        self._file, self._at = file, member.header_offset + _HEADER.size + name + extra
        self._left = member.compress_size

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)  # an entry of it may be a zip file that is read in between
        part = bytes(self._file.read(min(size, self._left, CHUNK)))
        self._at += len(part)
        self._left -= len(part)
        return part


class _Checked:
    """The bytes of an entry, of which the sum is looked at in the end."""

    def __init__(self, inner: Stream, member: zipfile.ZipInfo) -> None:
        self._inner, self._member = inner, member
        self._sum = self._size = 0
        self._empty = member.compress_size == member.file_size == 0

    def read(self, size: int, /) -> bytes:
        if self._empty:
            return b""
        try:
            part = self._inner.read(size)
        except EOFError:
            if not self._complete():  # LZMA need not say where it ends
                raise
            return b""
        self._sum = zlib.crc32(part, self._sum)
        self._size += len(part)
        if not part and not self._complete():
            raise DamagedError("the zip data is damaged or cut: its checksum is another")
        return part

    def _complete(self) -> bool:
        return self._size == self._member.file_size and self._sum == self._member.CRC
