"""Tell what happened in a run: to people, to other programs, to CI servers."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Protocol

from payproof.domain.events import RunEvent
from payproof.domain.sensitive import Exposure
from payproof.errors import ConfigurationError
from payproof.registry import nearest
from payproof.reporters.jsonl import JsonLines
from payproof.reporters.junit import JUnit

__all__ = ["Reporter", "check_report", "mask_report", "open_report"]


class Reporter(Protocol):
    """Takes a run's events one by one."""

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Let go of the output."""
        ...


_FORMATS: Mapping[str, Callable[[IO[str]], Reporter]] = {".jsonl": JsonLines, ".xml": JUnit}


def check_report(path: Path) -> None:
    """Refuse a report file that could not be opened, before anything is sent to a target.

    Raises:
        ConfigurationError: an unknown suffix, or a place that cannot be written to.
    """
    if path.suffix not in _FORMATS:
        raise ConfigurationError(f"--report {path}: unknown format", hint=nearest(path.suffix, _FORMATS))
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        problem = "is a directory" if path.is_dir() else "no such directory, or no right to write there"
        raise ConfigurationError(f"--report cannot be written: {problem}", file=path)


def open_report(path: Path) -> Reporter:
    """Open a report file by its suffix.

    Raises:
        ConfigurationError: an unknown suffix, or a place that cannot be written to.
    """
    check_report(path)
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--report cannot be written: {error.strerror}", file=path) from None
    return _FORMATS[path.suffix](file)


def mask_report(path: Path, mask: Callable[[bytes], tuple[bytes, tuple[Exposure, ...]]]) -> tuple[str, ...]:
    """Replace what must not be told in a written report, and return what that was; the report itself is never lost."""
    path = path.resolve()
    data, found = mask(path.read_bytes())
    if found:
        fresh = path.with_name(f".{path.name}.masked")
        fresh.write_bytes(data)
        fresh.chmod(path.stat().st_mode)
        fresh.replace(path)
    return tuple(dict.fromkeys(f"{one.kind} ({one.label})" for one in found))
