"""Cuts a large file into parts that other processes can read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from payproof.files.open_file import open_file

__all__ = ["FilePart", "parts_of"]

_LENGTH = 32 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some bytes of a file, which another process opens by itself."""

    path: Path
    start: int
    length: int

    def chunks(self, before: int) -> Iterator[bytes]:
        """Yield the file's bytes from so many before the part on.

        Raises:
            OSError: the file cannot be read.
        """
        with open_file(self.path) as file:
            file.seek(self.start - before)
            while chunk := file.read(_CHUNK):
                yield chunk


def parts_of(path: Path, size: int) -> Iterator[FilePart]:
    """Yield the parts of a file of so many bytes."""
    for start in range(0, size, _LENGTH):
        yield FilePart(path, start, min(_LENGTH, size - start))
