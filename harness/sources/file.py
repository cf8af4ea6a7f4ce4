from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from harness.domain.contracts import Block
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError, InconclusiveError, Reason
from harness.registry import log_source

__all__ = ["FileLog", "open_log"]

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Position:
    inode: int
    offset: int


class FileLog:
    """A log file, read from a position on; a file that was rotated or cut since then is read from its start."""

    def __init__(self, spec: SourceSpec, path: Path) -> None:
        self.name = spec.name
        self._path = path

    async def position(self) -> _Position:
        """Return the end of the file.

        Raises:
            InconclusiveError: the file cannot be looked at.
        """
        try:
            state = self._path.stat()
        except OSError as error:
            raise self._unreadable(error) from None
        return _Position(state.st_ino, state.st_size)

    async def since(self, position: _Position) -> AsyncIterator[Block]:
        """Yield each line written after the position.

        Raises:
            InconclusiveError: the file cannot be read, or has gained more than 64 MiB.
        """
        now = await self.position()
        offset = position.offset if now.inode == position.inode and now.offset >= position.offset else 0
        if now.offset - offset > _MOST_BYTES:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"log {self.name} gained more than 64 MiB in one step")
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                lines = file.read(now.offset - offset).splitlines()
        except OSError as error:
            raise self._unreadable(error) from None
        for number, line in enumerate(lines, 1):
            yield Block(f"line {number} of this step", line)

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _unreadable(self, error: OSError) -> InconclusiveError:
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"log {self.name}: {error.strerror}: {self._path}")


@log_source("file")
def open_log(spec: SourceSpec) -> FileLog:
    """Open ``file:PATH``.

    Raises:
        ConfigurationError: there is no such file, or it cannot be read.
    """
    path = Path(spec.url.removeprefix("file:"))
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigurationError(f"log {spec.name!r}: {error.strerror}: {path}") from None
    return FileLog(spec, path)
