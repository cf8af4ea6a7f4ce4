"""What a search of a work tree leaves out: what git ignores, and what the command line excludes."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pathspec import GitIgnoreSpec

from payproof.errors import ConfigurationError

__all__ = ["IgnoredPaths"]

_GIT, _IGNORE = ".git", ".gitignore"
#: Folders of packages that pip, Debian and npm install: other people's code, which no log is written into.
_INSTALLED = frozenset({"site-packages", "dist-packages", "node_modules"})
_NO_PATTERNS = GitIgnoreSpec([])


class IgnoredPaths:
    """What is left out below a place, which itself is never left out; ``count`` says how much was.

    Args:
        top: the place.
        exclude: patterns as in a ``.gitignore`` that stands there.
        by_git: whether git's own database is left out and, in a work tree, what the ``.gitignore`` files name.

    Raises:
        ConfigurationError: a pattern cannot be read.
    """

    def __init__(self, top: Path, exclude: Sequence[str] = (), *, by_git: bool = True) -> None:
        self.count = 0
        self._top = _absolute(top)
        self._excluded = _read_patterns(exclude)
        self._known: dict[Path, GitIgnoreSpec] = {}
        self._by_git = by_git
        self._root = _find_work_tree(self._top)
        self._tree = self._root
        if self._root is not None and self._is_ignored(self._top, is_folder=True):
            self._tree = None
            self._root = self._top  # whoever names it means it: only what stands below says what is left out

    def name_in_tree(self, path: Path) -> str:
        """Return a path as it is called in the work tree, or among installed packages; empty for what is no code.

        What git ignores is none, but for such packages.
        """
        absolute = _absolute(path)
        if self._tree is not None and (self._by_git or not self._is_ignored(absolute, is_folder=False)):
            return absolute.relative_to(self._tree).as_posix()
        installed = next((at for at, part in enumerate(absolute.parts) if part in _INSTALLED), None)
        return "" if installed is None else "/".join(absolute.parts[installed:])

    def leaves_out(self, path: Path) -> bool:
        """Whether a file or folder below the place is left out, with all that is in it."""
        if self._by_git and self._root is not None and path.name == _GIT:
            return True  # what git keeps for itself is none of the tree, and nothing that was left out of it
        absolute, is_folder = _absolute(path), path.is_dir() and not path.is_symlink()
        decision = _decide(self._excluded, absolute.relative_to(self._top), is_folder=is_folder)
        if decision is None:
            decision = self._by_git and self._names(absolute, is_folder=is_folder)
        if not decision:
            return False
        self.count += 1
        return True

    def _is_ignored(self, path: Path, *, is_folder: bool) -> bool:
        """Whether git ignores a path, or a folder above it in the work tree; what it keeps for itself is so, too."""
        within = [one for one in path.parents if self._root in one.parents]
        above = any(one.name == _GIT or self._names(one, is_folder=True) for one in within)
        return above or (path != self._root and self._names(path, is_folder=is_folder))

    def _names(self, path: Path, *, is_folder: bool) -> bool:
        """Whether git ignores a path: the file of patterns that is nearest to it decides, and in it the last one."""
        for folder, patterns in self._patterns_above(path):
            decision = _decide(patterns, path.relative_to(folder), is_folder=is_folder)
            if decision is not None:
                return decision
        return False

    def _patterns_above(self, path: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
        """Yield the patterns that git keeps to, the nearest first."""
        if self._root is None:
            return
        for folder in path.parents:
            yield folder, self._read(folder / _IGNORE)
            if folder == self._root:
                yield folder, self._read(folder / _GIT / "info" / "exclude")
                return

    def _read(self, file: Path) -> GitIgnoreSpec:
        if file not in self._known:
            self._known[file] = _NO_PATTERNS
            with suppress(OSError):
                self._known[file] = GitIgnoreSpec.from_lines(file.read_text("utf-8", "replace").splitlines())
        return self._known[file]


def _decide(patterns: GitIgnoreSpec, path: Path, *, is_folder: bool) -> bool | None:
    """Return whether patterns name a path, or None where they say nothing of it; the last that fits decides."""
    for pattern in reversed(patterns.patterns):
        if pattern.include is None:
            continue  # a comment
        written = str(pattern.pattern).rstrip().removesuffix("/")
        # `a/**` is all that is in a folder, and not the folder: what it holds may be taken out again.
        slash = "/" if is_folder and not written.endswith("/**") else ""
        text = (path.as_posix() if "/" in written else path.name) + slash
        found = pattern.match_file(text)
        if found is not None and not _is_of_a_parent(found.match, text):
            return bool(pattern.include)
    return None


def _is_of_a_parent(match: re.Match[str], text: str) -> bool:
    """Whether a pattern names a folder above a path only, which was asked about before; pathspec marks such a one."""
    return match.groupdict().get("ps_d") is not None and match.end() < len(text)


def _absolute(path: Path) -> Path:
    """Return a path from the root of the file system, links as they are: git does not follow them either."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (`resolve` would follow links)


def _find_work_tree(path: Path) -> Path | None:
    return next((one for one in (path, *path.parents) if (one / _GIT).exists()), None)


def _read_patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise ConfigurationError(f"--exclude: {error}", hint="a pattern as in .gitignore, such as 'tests/**'") from None
