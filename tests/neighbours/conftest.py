"""Ends a run of the neighbours with a table of its figures."""

from collections import Counter, defaultdict
from typing import Any

_COLUMNS = (
    *("edited", "run s", "problems"),
    *("passed", "failed", "errored", "skipped", "true", "false", "missing", "unknown"),
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests have recorded of each neighbour, all topics together."""
    figures = defaultdict[str, Counter[str]](Counter)
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            recorded = dict(report.user_properties)
            if name := recorded.pop("neighbour", ""):
                figures[name].update(recorded)
    if not figures:
        return
    terminalreporter.section("neighbours")
    terminalreporter.line(" | ".join(("neighbour", *_COLUMNS)))
    for name, one in sorted(figures.items()):
        terminalreporter.line(" | ".join((name, *(str(one.get(column, "")) for column in _COLUMNS))))
