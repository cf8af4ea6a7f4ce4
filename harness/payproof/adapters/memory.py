"""How much memory the processes behind a port of this machine take, as Linux tells it below ``/proc``."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from payproof.domain.target import LOOPBACK

__all__ = ["ProcessMemory"]

_PROC = Path("/proc")
_LISTENS = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_PAGE = 1024
#: What only passes on what it gets: the target is behind it, in a container or on another machine.
_PROXIES = frozenset({"docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "ssh", "socat", "nginx"})
_RESET = "5"  # written into clear_refs, it sets the peak to what is in use now (proc(5))


class ProcessMemory:
    """Measures the memory of the processes that listen at a URL's port, and of all that these have started."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        self._is_here = parts.hostname in LOOPBACK
        self._before: dict[int, int] = {}
        self._why = ""

    def begin(self) -> None:
        """Begin to measure: forget earlier peaks."""
        self._before, self._why = {}, ""
        if not self._is_here or not (_PROC / "net" / "tcp").exists():
            self._why = "not known: the target runs elsewhere, or this system has no /proc"
            return
        processes = _family(set(_listeners(self._port)))
        if os.getpid() in processes or not processes:
            self._why = f"not known: no process of this user listens at port {self._port}"
            return
        if names := sorted({_name(one) for one in processes} & _PROXIES):
            self._why = f"not known: {names[0]} listens at port {self._port}, and the target is behind it"
            return
        for one in processes:
            try:
                (_PROC / str(one) / "clear_refs").write_text(_RESET)
                self._before[one] = _read(one, "VmRSS")
            except OSError:
                self._why = f"not known: of process {one} it cannot be read"

    def end(self) -> tuple[int, int] | str:
        """Return how many bytes there were at the beginning, and by how many they grew at most; or why not."""
        if self._why:
            return self._why
        growth = 0
        for one, before in self._before.items():
            try:
                growth += max(0, _read(one, "VmHWM") - before)
            except OSError:
                return f"not known: process {one} has ended meanwhile"
        # What was started meanwhile had nothing before.
        for one in _family(set(self._before)) - self._before.keys():
            with suppress(OSError):
                growth += _read(one, "VmHWM")
        return sum(self._before.values()), growth


def _listeners(port: int) -> Iterator[int]:
    """Yield the processes of this user that hold a socket that listens at a port."""
    inodes = set[str]()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    for process in _processes():
        with suppress(OSError):
            for descriptor in (_PROC / str(process) / "fd").iterdir():
                with suppress(OSError):
                    held = _SOCKET.fullmatch(str(descriptor.readlink()))
                    if held and held[1] in inodes:
                        yield process
                        break


def _processes() -> Iterator[int]:
    for place in _PROC.iterdir():
        if place.name.isdigit():
            yield int(place.name)


def _family(roots: set[int]) -> set[int]:
    """Return some processes with all that they have started."""
    parents = dict[int, int]()
    for process in _processes():
        with suppress(OSError, ValueError):
            # Behind the name, which is in parentheses and may hold any character.
            parents[process] = int((_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()[1])
    found, grown = set(roots), True
    while grown:
        more = {process for process, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return found


def _name(process: int) -> str:
    try:
        return (_PROC / str(process) / "comm").read_text().strip()
    except OSError:
        return ""


def _read(process: int, field: str) -> int:
    """Return a field of a process's status, in bytes.

    Raises:
        OSError: the process has ended.
    """
    for line in (_PROC / str(process) / "status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == field:
            return int(rest.split()[0]) * _PAGE
    raise ProcessLookupError(process)
