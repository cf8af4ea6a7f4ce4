"""What the figures were measured on, without the machine's name, and which peers are there."""

import os
import platform
import shutil
import socket
from importlib.metadata import version
from pathlib import Path

__all__ = ["free_port", "machine", "missing", "program"]

# Debian keeps servers where only root's PATH looks.
_SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def machine() -> str:
    """Return one line: processor, the cores that this process may use, how busy they are, system, Python, aiohttp."""
    return (
        f"{_processor()}, {_cores()} cores, load {os.getloadavg()[0]:.1f} at the start; "
        f"{platform.system()} {platform.machine()}; "
        f"{platform.python_implementation()} {platform.python_version()}, aiohttp {version('aiohttp')}"
    )


def program(name: str) -> str | None:
    """Return the path of a program, if it is on this machine."""
    return shutil.which(name, path=_SEARCHED)


def missing(*names: str) -> list[str]:
    """Return the programs that are not on this machine."""
    return [name for name in names if program(name) is None]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
