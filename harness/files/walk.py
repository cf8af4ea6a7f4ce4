import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["found", "matching"]

_SORTS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def matching(pattern: str) -> list[Path]:
    """Return what a path or a pattern of paths (``*``, ``?``, ``[...]``, ``**``) names, in order; nothing is opened."""
    if os.path.lexists(pattern):
        return [Path(pattern)]
    return sorted(Path(one) for one in glob.glob(pattern, recursive=True, include_hidden=True))  # noqa: PTH207 (absolute)


def found(path: Path, seen: set[tuple[int, int]]) -> Iterator[tuple[Path, str]]:
    """Yield each file at or below a path, with why it cannot be read, if so.

    Symbolic links are followed; what was ``seen`` before, by device and inode, is not found again, so that loops end
    and a file with two names is one.
    """
    try:
        state = path.stat()
    except OSError as error:
        yield path, error.strerror or "cannot be looked at"
        return
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    if stat.S_ISDIR(state.st_mode):
        try:
            inner = sorted(path.iterdir())
        except OSError as error:
            yield path, error.strerror or "cannot be listed"
            return
        for one in inner:
            yield from found(one, seen)
    elif stat.S_ISREG(state.st_mode):
        yield path, ""
    else:
        yield path, f"it is {_SORTS.get(stat.S_IFMT(state.st_mode), 'no file')}"
