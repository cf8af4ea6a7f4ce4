import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from payproof.aside import aside
from payproof.domain.source import Excerpt, Log
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.files.open_file import open_file, require_file
from payproof.registry import log_source

__all__ = ["FileLog", "open_log"]

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Position:
    inode: int
    offset: int


class FileLog(Log):
    """A log file, read from a position on; where it was rotated since then, the rest of the old file comes first."""

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._path = path

    async def position(self) -> _Position:
        """Return the end of the file.

        Raises:
            InconclusiveError: the file cannot be looked at.
        """
        return await aside(self._end)

    async def since(self, position: _Position) -> AsyncIterator[Excerpt]:
        """Yield each line written after the position.

        Raises:
            InconclusiveError: the file cannot be read, has gained more than 64 MiB, or lost lines that nobody has read.
        """
        data = await aside(lambda: self._read_gained(position))
        for number, line in enumerate(data.splitlines(), 1):
            yield Excerpt(f"line {number} of this step", line)

    def _end(self) -> _Position:
        try:
            state = require_file(self._path)
        except OSError as error:
            raise self._unreadable(error) from None
        return _Position(state.st_ino, state.st_size)

    def _read_gained(self, position: _Position) -> bytes:
        now = self._end()
        try:
            if now.inode != position.inode:
                return self._read_from(self._find_rotated(position), position.offset) + self._read_from(self._path, 0)
            if now.offset < position.offset:
                raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"log {self.name} was cut during a step")
            return self._read_from(self._path, position.offset)
        except OSError as error:
            raise self._unreadable(error) from None

    def _read_from(self, path: Path, offset: int) -> bytes:
        with open_file(path) as file:
            file.seek(offset)
            data = _read(file)
        if len(data) > _MOST_BYTES:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"log {self.name} gained more than 64 MiB in one step")
        return data

    def _find_rotated(self, position: _Position) -> Path:
        """Return the file beside the log that was the log at the position."""
        for path in self._path.parent.iterdir():
            if path.stat(follow_symlinks=False).st_ino == position.inode:
                return path
        detail = f"log {self.name} was rotated during a step, and its old file is not in the same folder"
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, detail)

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _unreadable(self, error: OSError) -> InconclusiveError:
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"log {self.name}: {error.strerror}: {self._path}")


def _read(file: io.FileIO) -> bytes:
    parts, size = [], 0
    while size <= _MOST_BYTES and (part := file.read(_MOST_BYTES + 1 - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


@log_source("file")
def open_log(spec: SourceSpec) -> FileLog:
    """Open ``file:PATH``.

    Raises:
        ConfigurationError: there is no such file, or it cannot be read.
    """
    path = Path(spec.url.removeprefix("file:"))
    try:
        with open_file(path):
            pass
    except OSError as error:
        raise ConfigurationError(f"log {spec.name!r}: {error.strerror}: {path}") from None
    return FileLog(spec, path)
