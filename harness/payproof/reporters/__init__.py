"""Tell what happened in a run: to people, to other programs, to CI servers."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from payproof.domain.events import RunEvent
from payproof.domain.sensitive import Exposure
from payproof.errors import ConfigurationError
from payproof.registry import nearest
from payproof.reporters.html import write_html
from payproof.reporters.jsonl import JsonLines
from payproof.reporters.junit import JUnit
from payproof.reporters.markdown import write_markdown
from payproof.reporters.problem_lines import write_problem_lines
from payproof.reporters.prometheus import write_prometheus
from payproof.reporters.sarif import write_sarif
from payproof.reporters.whole_run import WholeRun, WholeRunReporter

__all__ = ["RECORDED_FORMATS", "REPORT_SUFFIXES", "Reporter", "check_report", "is_record", "mask_report", "open_report"]


class Reporter(Protocol):
    """Takes a run's events one by one."""

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        ...

    def close(self) -> None:
        """Let go of the output."""
        ...


def _at_the_end(write: Callable[[WholeRun], str]) -> Callable[[IO[str]], Reporter]:
    return partial(WholeRunReporter, write=write)


_Maker = Callable[[IO[str]], Reporter]

#: What a recorded run can be told as, by the names of ``payproof report --format``.
RECORDED_FORMATS: Mapping[str, _Maker] = {
    "html": _at_the_end(write_html),
    "jsonl": _at_the_end(write_problem_lines),
    "junit": JUnit,
    "markdown": _at_the_end(write_markdown),
    "prometheus": _at_the_end(write_prometheus),
    "sarif": _at_the_end(write_sarif),
}
#: The same by how a file's name ends; of two endings that fit, the first decides.
REPORT_SUFFIXES: Mapping[str, str] = {
    ".problems.jsonl": "jsonl",
    ".html": "html",
    ".md": "markdown",
    ".prom": "prometheus",
    ".sarif": "sarif",
    ".xml": "junit",
}
#: What a run writes while it goes on beside those: all that was observed.
_RECORD = ".jsonl"


def is_record(path: Path) -> bool:
    """Whether a report file is a run record by its name, from which every other report can be made."""
    return path.suffix == _RECORD and not any(path.name.endswith(suffix) for suffix in REPORT_SUFFIXES)


def _find_format(path: Path) -> _Maker:
    if is_record(path):
        return JsonLines
    for suffix, name in REPORT_SUFFIXES.items():
        if path.name.endswith(suffix):
            return RECORDED_FORMATS[name]
    raise ConfigurationError(f"--report {path}: unknown format", hint=nearest(path.suffix, [_RECORD, *REPORT_SUFFIXES]))


def check_report(path: Path) -> None:
    """Refuse a report file that could not be opened, before anything is sent to a target.

    Raises:
        ConfigurationError: an unknown suffix, or a place that cannot be written to.
    """
    _find_format(path)
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
    return _find_format(path)(file)


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
