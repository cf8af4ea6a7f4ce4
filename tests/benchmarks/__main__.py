"""Measures the harness beside its peers on this machine and prints the figures: `python -m tests.benchmarks`."""

import os
import signal
import sys

from rich.console import Console

from tests.benchmarks._counts import counts
from tests.benchmarks._deliveries import deliveries
from tests.benchmarks._machine import machine, missing
from tests.benchmarks._runs import runs


def main() -> int:
    """Print every table; 1 when a run did not hold, or a peer is missing where the environment requires all."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that nginx is stopped then too
    console = Console()
    out = console if console.is_terminal else Console(width=120)
    out.print(machine(), highlight=False)
    out.print(counts())
    timed, failed = runs()
    out.print(timed)
    for line in failed:
        out.print(line, style="bold", highlight=False)
    absent = missing("nginx", "wrk")
    for program in absent:
        out.print(f"not measured: {program} is not on this machine", highlight=False)
    if "nginx" not in absent:
        out.print(deliveries(with_wrk="wrk" not in absent))
    required = os.environ.get("PAYPROOF_REQUIRE") == "all"
    return 1 if failed or (absent and required) else 0


if __name__ == "__main__":
    sys.exit(main())
