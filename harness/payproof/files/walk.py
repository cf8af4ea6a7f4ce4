"""Finds files on the disk, by patterns and below folders."""

import fnmatch
import glob
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from payproof.files.open_file import require_file

__all__ = ["find_files", "match_pattern"]


def match_pattern(pattern: str) -> list[Path]:
    """Return what a path or a pattern of paths (``*``, ``?``, ``[...]``, ``**``) names, in order; nothing is opened."""
    if os.path.lexists(pattern):
        return [Path(pattern)]
    if not glob.has_magic(pattern):
        return []
    anchor, *parts = Path(pattern).parts if Path(pattern).anchor else ("", *Path(pattern).parts)
    known = [Path(anchor)]
    for part in parts:
        known = [one for place in known for one in _match_part(place, part)]
    return sorted(set(known))


def _match_part(place: Path, part: str) -> Iterator[Path]:
    """Yield what a part of a pattern names in a place; ``**`` is the place and all below it, hidden or not."""
    if part == "**":
        yield from _walk_below(place)
    elif not glob.has_magic(part):
        if os.path.lexists(place / part):
            yield place / part
    else:
        yield from (one for one in _list_folder(place) if fnmatch.fnmatchcase(one.name, part))


def _walk_below(place: Path) -> Iterator[Path]:
    waiting, seen = [place], set()
    while waiting:  # not by recursion, as below
        one = waiting.pop()
        yield one
        with suppress(OSError):
            state = one.stat()
            if stat.S_ISDIR(state.st_mode) and (state.st_dev, state.st_ino) not in seen:
                seen.add((state.st_dev, state.st_ino))
                waiting += _list_folder(one)


def _list_folder(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except OSError:  # of a folder that cannot be listed nothing matches; one that is named is reported
        return []


def find_files(
    path: Path, seen: set[tuple[int, int]], leaves_out: Callable[[Path], bool] = lambda _: False
) -> Iterator[tuple[Path, str]]:
    """Yield each file at or below a path, with why it cannot be read, if so; what is left out is not looked at.

    Symbolic links are followed; what was ``seen`` before, by device and inode, is not found again, so that loops end
    and a file with two names is one.
    """
    waiting = [path]  # not by recursion: folders may be nested deeper than calls may be
    while waiting:
        one = waiting.pop()
        try:
            state = one.stat()
            if (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            if stat.S_ISDIR(state.st_mode):
                waiting += sorted((inner for inner in one.iterdir() if not leaves_out(inner)), reverse=True)
                continue
            require_file(one)
        except OSError as error:
            yield one, error.strerror or "cannot be looked at"
        else:
            yield one, ""
