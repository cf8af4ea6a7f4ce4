"""Ends a run of the handlers with a table of its figures."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print a row for each run of a handler."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    rows = sorted(value for report in reports for name, value in report.user_properties if name == "handler")
    if rows:
        terminalreporter.section("handlers")
        for row in ("handler | faults | problems | advice | lines | edits", *rows):
            terminalreporter.line(row)
