"""Files opened so that neither that nor reading them ever waits for somebody."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NoFileError", "open_file", "require_file"]

_SORTS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# A pipe would be waited for until somebody writes to it, and a terminal would become that of this process.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class NoFileError(OSError):
    """Something that bears a file's name and is none."""

    def __init__(self, mode: int) -> None:
        super().__init__(errno.EINVAL, f"it is {_SORTS.get(stat.S_IFMT(mode), 'no file')}")


class _Patient(io.FileIO):
    """A file that is an error where reading it would wait, as with some that the kernel makes up."""

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes | None = super().read(-1 if size is None else size)
        if data is None:  # at the end there would be nothing; this says that something may still come
            raise OSError(errno.EAGAIN, "it waits for what is not written yet")
        return data


def require_file(path: Path) -> os.stat_result:
    """Look at a path, without opening it.

    Raises:
        NoFileError: it is no regular file.
        OSError: it cannot be looked at.
    """
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise NoFileError(state.st_mode)
    return state


@contextmanager
def open_file(path: Path) -> Iterator[io.FileIO]:
    """Open a regular file to read it.

    Raises:
        NoFileError: it is no regular file.
        OSError: it cannot be opened.
    """
    require_file(path)  # some devices do something when they are opened
    with _Patient(os.open(path, _FLAGS), "rb") as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise NoFileError(state.st_mode)  # it has become another since
        yield file
