"""Measures the project beside its peers on this machine and prints the figures: `python -m tests.benchmarks`.

Sections can be named: counts, runs, deliveries, service, scan (with `--megabytes` of a log to search), rows, fuzz,
upstream, pages, races, crashes and burst (with `--events`).
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType

from tests.benchmarks._burst import burst
from tests.benchmarks._counts import counts
from tests.benchmarks._crashes import crashes, races
from tests.benchmarks._deliveries import deliveries
from tests.benchmarks._fuzz import fuzz
from tests.benchmarks._machine import machine, missing
from tests.benchmarks._pages import pages
from tests.benchmarks._rows import rows
from tests.benchmarks._runs import runs
from tests.benchmarks._scan import scan
from tests.benchmarks._service import service
from tests.benchmarks._upstream import upstream

#: The programs that a section measures beside, or with.
_PEERS = {
    "deliveries": ("nginx", "wrk"),
    "burst": ("wrk",),
    "service": ("wrk",),
    "scan": ("rg",),
    "rows": ("rg",),
    "upstream": ("wrk",),
    "pages": ("chromium",),
}


#: The sections that measure nothing without wrk.
_BY_WRK = frozenset({"burst", "service", "upstream"})


def measured(section: str, absent: list[str], megabytes: int, events: int) -> tuple[list[RenderableType], list[str]]:
    """Return the tables of a section that can be measured without some programs, and a line for each failure."""
    if (section == "deliveries" and "nginx" in absent) or (section in _BY_WRK and "wrk" in absent):
        return [], []
    match section:
        case "counts" | "fuzz" | "pages":
            return [{"counts": counts, "fuzz": fuzz, "pages": pages}[section]()], []
        case "runs" | "rows":
            timed, failed = runs() if section == "runs" else rows()
            return [timed], failed
        case "races" | "crashes" | "upstream" | "burst":
            made = {"races": races, "crashes": crashes, "upstream": upstream, "burst": lambda: burst(events)}
            return made[section]()
        case "service":
            return [*service()], []
        case _:
            return [scan(megabytes) if section == "scan" else deliveries(with_wrk="wrk" not in absent)], []


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every table; 1 when a run did not hold, or a peer is missing where the environment requires all."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nginx is stopped then too
    sections = (
        "counts",
        "runs",
        "deliveries",
        "service",
        "scan",
        "rows",
        "fuzz",
        "upstream",
        "pages",
        "races",
        "crashes",
        "burst",
    )
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description="Measure the project beside its peers.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(sections)}; all by default")
    parser.add_argument("--megabytes", type=int, default=256, help="size of the log that is searched (256)")
    parser.add_argument("--events", type=int, default=10_000, help="of a burst (10000)")
    told = parser.parse_args(arguments)
    chosen = told.sections or sections
    if unknown := set(chosen) - set(sections):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    console = Console()
    out = console if console.is_terminal else Console(width=120)
    out.print(machine(), highlight=False)
    absent = missing(*dict.fromkeys(program for section in chosen for program in _PEERS.get(section, ())))
    for program in absent:
        out.print(f"not measured: {program} is not on this machine", highlight=False)
    broken = False
    for section in chosen:
        tables, failed = measured(section, absent, told.megabytes, told.events)
        for table in tables:
            out.print(table)
        for line in failed:
            out.print(line, style="bold", highlight=False)
        broken = broken or bool(failed)
    required = os.environ.get("PAYPROOF_REQUIRE") == "all"
    return 1 if broken or (absent and required) else 0


if __name__ == "__main__":
    sys.exit(main())
