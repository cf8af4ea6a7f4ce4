"""Ends a run of the neighbours with a table of its figures."""

from collections import defaultdict
from typing import Any

_COLUMNS = (
    *("edited", "first verdict s", "run s", "problems", "lines"),
    *("passed", "failed", "errored", "skipped", "true", "false", "missing", "unknown"),
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests have recorded of each neighbour."""
    figures: dict[str, dict[str, object]] = defaultdict(dict)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            recorded = dict(report.user_properties)
            if name := recorded.pop("neighbour", ""):
                figures[name] |= recorded
    if not figures:
        return
    terminalreporter.section("neighbours")
    terminalreporter.line(" | ".join(("neighbour", *_COLUMNS)))
    for name, one in sorted(figures.items()):
        terminalreporter.line(" | ".join((name, *(str(one.get(column, "")) for column in _COLUMNS))))
