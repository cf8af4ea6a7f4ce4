"""How large each report is, how long it takes, and when a browser has opened the page: for 500 and for 5,000 cases."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.table import Table

from payproof.reporters import RECORDED_FORMATS
from tests.benchmarks._machine import program
from tests.reports.made_runs import make_events, write_report

__all__ = ["pages"]

_TIMES = 5
_READY = "performance.getEntriesByName('payproof-ready')[0].startTime"


def pages(sizes: Sequence[int] = (500, 5_000)) -> Table:
    """Return kilobytes and seconds of each report, and milliseconds until a browser can use the page."""
    table = Table(title="reports of made-up runs", title_justify="left", box=None)
    for column in ("report", "cases", "kB", "seconds to write", "ms until usable (median)"):
        table.add_column(column, justify="left" if column == "report" else "right")
    for number in sizes:
        events = make_events(number)
        for form, make in RECORDED_FORMATS.items():
            begun = time.perf_counter()
            text = write_report(make, events)
            seconds = time.perf_counter() - begun
            usable = _open(text) if form == "html" else ""
            table.add_row(form, f"{number:,}", f"{len(text.encode()) / 1000:,.0f}", f"{seconds:.2f}", usable)
    return table


def _open(text: str) -> str:
    chromium = program("chromium")
    if chromium is None:
        return "no chromium"
    took = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(text)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(_TIMES):
            page = browser.new_page()
            page.goto(file.as_uri())
            took.append(page.evaluate(_READY))
            page.close()
        browser.close()
    return f"{sorted(took)[_TIMES // 2]:.0f}"
