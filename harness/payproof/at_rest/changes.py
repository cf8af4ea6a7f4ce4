"""Searches what a repository's changes add: what is staged for a commit, or what came since another one."""

import io
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from payproof.at_rest.contents import search_stream
from payproof.at_rest.named_values import SievingScanner
from payproof.domain.leak import Leak, LeftOut, Place, SearchEvent
from payproof.errors import ConfigurationError
from payproof.files.ignored import IgnoredPaths

__all__ = ["Changes", "search_changes"]

#: A repository may name programs of its own for its diffs, which are not run.
_GIT = ("git", "-c", "core.quotepath=off", "-c", "core.fsmonitor=false")
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--diff-filter=ACM")
_HUNK = re.compile(rb"^@@ -[0-9,]+ \+([0-9]+)(?:,([0-9]+))? @@", re.MULTILINE)
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Changes:
    """Which changes are meant: those ``since`` a revision, work tree included, or else those staged; of some paths."""

    since: str = ""
    paths: tuple[str, ...] = ()


def search_changes(
    changes: Changes,
    exclude: Sequence[str],
    scanner: SievingScanner,
    report: Callable[[str], Callable[[int], None]],
) -> Iterator[SearchEvent]:
    """Search each file that was added or changed, and yield what stands on lines that are new; of binaries, all.

    Raises:
        ConfigurationError: there is no git, no repository, or no such revision.
    """
    top = Path(_run("rev-parse", "--show-toplevel").decode().removesuffix("\n"))
    how = ("--merge-base", changes.since) if changes.since else ("--cached",)
    names = _run(*_DIFF, *how, "--name-only", "-z", "--", *changes.paths).decode("utf-8", "surrogateescape")
    ignored = IgnoredPaths(top, exclude, by_git=False)
    for name in filter(None, names.split("\0")):
        place = top / name
        if any(ignored.leaves_out(one) for one in (place, *place.parents) if top in one.parents):
            continue
        hunks = _run(*_DIFF, *how, "--unified=0", "--", f":(top,literal){name}")
        added = [range(int(start), int(start) + int(many or b"1")) for start, many in _HUNK.findall(hunks)]
        content = b""
        if changes.since:
            with suppress(OSError):  # it was removed in the meantime
                content = place.read_bytes()
        else:
            content = _run("cat-file", "blob", f":{name}")
        for event in search_stream(name, io.BytesIO(content), scanner, report(name)):
            if not isinstance(event, Leak):
                yield event
            elif _is_added(event, added):
                yield replace(event, in_tree=name)
    if ignored.count:
        yield LeftOut(Place(str(top)), ignored.count)


def _is_added(leak: Leak, added: Sequence[range]) -> bool:
    """Whether a leak stands on a new line, or in what has no lines."""
    line = leak.place.line
    return not added or line is None or bool(leak.place.part) or any(line in lines for lines in added)


def _run(*arguments: str) -> bytes:
    """Return what git prints."""
    try:
        done = subprocess.run(  # noqa: S603 (git itself)
            [*_GIT, *arguments], capture_output=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise ConfigurationError("changes are told by git, which is not on this machine") from None
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"git did not end within {_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        raise ConfigurationError(f"git cannot tell the changes: {said[0]}")
    return done.stdout
