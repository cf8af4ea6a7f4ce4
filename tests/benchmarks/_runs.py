"""Wall time of whole runs on the reference service, from the start of the process to its end."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median

from rich.table import Table

from tests.benchmarks._ending import end

__all__ = ["RUNS", "runs"]

_LONGEST = 300.0
_STOP_SECONDS = 10.0
_MODULE = (sys.executable, "-c", "import sys; from payproof.cli import main; sys.exit(main())")
#: What is aimed at, by the command's arguments.
RUNS = {
    "run --reference": "",
    "run --reference --topic webhook_signature": "under 10 s on 2 cores",
    "list": "nothing but start-up and scenarios",
    "--help": "at most 0.3 s",
}


def runs(commands: Mapping[str, str] = RUNS, times: int = 3) -> tuple[Table, list[str]]:
    """Return the median and the range of each command's seconds, and a line for each run that did not hold."""
    table = Table(title=f"wall time in seconds, {times} runs", title_justify="left", box=None)
    for column in ("command", "median", "fastest", "slowest", "aim"):
        table.add_column(column, justify="left" if column in {"command", "aim"} else "right")
    failed: list[str] = []
    for command, aim in commands.items():
        seconds = []
        for _ in range(times):
            took, code = _timed(command.split())
            seconds.append(took)
            if code:
                failed.append(f"payproof {command} ended with exit code {code}")
        table.add_row(f"payproof {command}", *(f"{figure(seconds):.2f}" for figure in (median, min, max)), aim)
    return table, list(dict.fromkeys(failed))


def _timed(arguments: Sequence[str]) -> tuple[float, int]:
    started = time.perf_counter()
    process = subprocess.Popen((*_MODULE, *arguments), stdout=subprocess.DEVNULL)
    try:
        code = process.wait(_LONGEST)
    except BaseException:
        # It stops its service and removes its files; where it does not listen, it is killed.
        end(process, _STOP_SECONDS)
        raise
    return time.perf_counter() - started, code
