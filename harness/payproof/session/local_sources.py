"""Finds the databases and logs of a service that runs on this machine, beside the work: only what shows itself."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from payproof.registry import store_sources

__all__ = ["LocalStore", "find_logs", "find_stores", "measure_logs"]

_SQLITE = b"SQLite format 3\0"
_DATABASE_FILES = (".db", ".sqlite", ".sqlite3", ".db3")
_LOG_FILES = (".jsonl", ".log", ".out")
_MOST_DEPTH = 3
_MOST_FILES = 20_000
_MOST_TAIL = 1024 * 1024
_NEVER = frozenset({"node_modules", "site-packages", "venv", "vendor", "target", "__pycache__"})
_VARIABLE = re.compile(r"(?:[A-Z0-9_]+_)?(?:DATABASE|DB|POSTGRES|MYSQL)_URL")


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A database: the URL of a target file, or the variable that holds one."""

    url: str = ""
    variable: str = ""


def find_stores(folder: Path, beside: Path, environment: Mapping[str, str] = os.environ) -> list[LocalStore]:
    """Return the databases that variables and files name, those of variables first, then the one written to last.

    Files are looked for in ``folder`` and named as seen from ``beside``, the folder of the target file.
    """
    known = set(store_sources()) | {"postgres", "mariadb"}
    variables = [
        LocalStore(variable=name)
        for name, value in sorted(environment.items())
        if _VARIABLE.fullmatch(name) and value.partition(":")[0].partition("+")[0] in known
    ]
    files = [file for file in _walk(folder) if file.suffix in _DATABASE_FILES and _begins(file, _SQLITE)]
    files.sort(key=_written_at, reverse=True)
    return [*variables, *(LocalStore(url=f"sqlite:{_name(file, beside)}") for file in files)]


def measure_logs(folder: Path) -> dict[Path, int]:
    """Return the log files of a folder, and how large each is."""
    named = (file for file in _walk(folder) if file.suffix in _LOG_FILES or file.parent.name in {"log", "logs"})
    return {file: file.stat().st_size for file in named}


def find_logs(folder: Path, beside: Path, before: Mapping[Path, int], token: str) -> list[str]:
    """Return the URLs of the log files that the service writes, as far as that shows.

    That are those that hold a token which was in a request a moment ago; else those that have grown since ``before``;
    else the only one that there is: calibration shows whether it moves.
    """
    now = measure_logs(folder)
    telling = [file for file in now if _holds(file, token)]
    grown = [file for file, size in now.items() if size > before.get(file, 0)]
    only = list(now) if len(now) == 1 else []
    return [f"file:{_name(file, beside)}" for file in telling or grown or only]


def _name(file: Path, beside: Path) -> str:
    return os.path.relpath(file.absolute(), beside.absolute())


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, not deep, and not those of tools and dependencies."""
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(
            name for name in folders if depth < _MOST_DEPTH and name not in _NEVER and not name.startswith(".")
        )
        for name in sorted(files):
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                yield file
            seen += 1
            if seen > _MOST_FILES:
                return


def _begins(file: Path, head: bytes) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(head)) == head
    except OSError:
        return False


def _holds(file: Path, token: str) -> bool:
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _MOST_TAIL))
            return token.encode() in opened.read(_MOST_TAIL)
    except OSError:
        return False


def _written_at(file: Path) -> float:
    """Return when a database was written last; its journal may be newer than itself."""
    times = [one.stat().st_mtime for one in (file, file.with_name(f"{file.name}-wal")) if one.exists()]
    return max(times, default=0.0)
