"""How fast data at rest is searched, beside ripgrep with a card pattern, ccsrch and PANhunt, on one generated log.

Each figure is of a process of its own, start-up included, with the file in the page cache; peak memory is the system's.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

from rich.table import Table

from payproof.registry import detectors_at_rest
from payproof.scan import kernel
from payproof.scan.kernel import loops
from payproof.scan.luhn import check_digit
from payproof.scan.parallel import scan_parts
from payproof.scan.scanner import Scanner
from tests.benchmarks._machine import program
from tests.scan._logs import clean_lines

__all__ = ["scan"]

_MEGABYTE = 1_000_000
_PART = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
_PATTERN = r"\b(?:4[0-9]{3}|5[1-5][0-9]{2}|3[47][0-9]{2}|6(?:011|5[0-9]{2}))[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3,4}\b"
_SOME = 400_000  # lines that are made; they are repeated, each time with other digits in their times
_PER_MEGABYTE = 25_000  # lines, which is more than there are in one
_EACH = 50_000  # lines between two that are planted


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file."""

    path: str
    start: int
    length: int

    def chunks(self, before: int) -> Iterator[memoryview]:
        """Read it, from so many bytes before it on."""
        buffer = bytearray(_CHUNK)
        with Path(self.path).open("rb", buffering=0) as file:
            file.seek(self.start - before)
            while count := file.readinto(buffer):
                yield memoryview(buffer)[:count]


def _log(path: Path, megabytes: int) -> int:
    """Write a log of about a size and return how many card numbers are planted in it."""
    random = Random(7)
    some = min(_SOME, megabytes * _PER_MEGABYTE)
    lines = list(islice(clean_lines(7, some), some))
    size = planted = number = 0
    with path.open("wb") as file:
        while size < megabytes * _MEGABYTE:
            part = lines[number % some :][:_EACH]
            body = "400005" + f"{random.randrange(10**9):09}"
            part.append(f'{{"card": {{"number": "{body}{check_digit(body)}"}}}}\n'.encode())
            size += file.write(b"".join(part))
            number += _EACH
            planted += 1
    return planted


# Runs a command; in a small process of its own, as the system counts what the one that starts another holds to both.
_MEASURE = """
import json, os, sys, time
begun = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
spent = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
sys.stderr.write(json.dumps([os.waitstatus_to_exitcode(status), *spent]))
"""


def _timed(command: list[str], folder: Path) -> tuple[float, float, float, str]:
    """Return a command's seconds, its processes' CPU time, the largest one's peak memory in MB, and what it printed."""
    measuring = [sys.executable, "-I", "-S", "-c", _MEASURE, *command]
    with tempfile.TemporaryFile() as out:
        # Other programs leave files where they are run, as PANhunt does with its log.
        place = None if command[0] == sys.executable else folder
        done = subprocess.run(measuring, stdout=out, stderr=subprocess.PIPE, check=True, cwd=place)
        status, seconds, busy, peak = json.loads(done.stderr.splitlines()[-1])
        if status not in ({0} if command[0] == sys.executable else {0, 1}):  # of ripgrep 1 says that nothing was found
            raise RuntimeError(f"{command[0]} ended with {status}")
        out.seek(0)
        return seconds, busy, peak, out.read().decode(errors="replace")


def _contenders(path: Path) -> Iterator[tuple[str, list[str], str]]:
    """Return each one's name, command, and a pattern of how it prints a count; an empty one for one line a hit."""
    own = [sys.executable, "-m", "tests.benchmarks._scan", str(path)]
    ways = ("arrays",) if loops() is None else ("compiled", "arrays")
    for way in ways:
        yield f"Payproof ({way}), one process", [*own, "1", way], r"^(\d+)$"
        yield f"Payproof ({way}), two processes", [*own, "2", way], r"^(\d+)$"
    if ripgrep := program("rg"):
        yield "ripgrep, card pattern", [ripgrep, "-a", "-c", "-j1", _PATTERN, str(path)], r"^(\d+)$"
        yield "ripgrep, card pattern, only matching", [ripgrep, "-a", "-o", "-j1", _PATTERN, str(path)], ""
    if ccsrch := program("ccsrch"):
        yield "ccsrch", [ccsrch, str(path)], r"Credit card matches->\s*(\d+)"
    if panhunt := program("panhunt"):
        yield "PANhunt", [panhunt, "-o", str(path.parent), str(path)], r"(\d+) (?:possible )?PANs"


def scan(megabytes: int) -> Table:
    """Return the figures for a log of a size."""
    table = Table(title=f"search of a log of {megabytes} MB", title_justify="left", box=None)
    for column in ("", "MB/s", "seconds", "CPU s", "MB/CPU s", "peak MB", "hits", "planted"):
        table.add_column(column, justify="left" if not column else "right")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "billing.log"
        planted = _log(path, megabytes)
        size = path.stat().st_size / _MEGABYTE
        for name, command, pattern in _contenders(path):
            seconds, busy, peak, said = _timed(command, path.parent)
            found = re.search(pattern, said, re.MULTILINE) if pattern else None
            hits = found[1] if found else str(said.count("\n")) if not pattern else "?"
            figures = (size / seconds, seconds, busy, size / busy, peak)
            texts = (f"{figure:.{places}f}" for figure, places in zip(figures, (0, 2, 2, 0, 0), strict=True))
            table.add_row(name, *texts, hits, str(planted))
    return table


def main() -> None:
    """Search a file in so many processes and print how many hits there are."""
    path, processes = sys.argv[1], int(sys.argv[2])
    if sys.argv[3] == "arrays":
        kernel.loops = lambda: None  # type: ignore[assignment]
    scanner = Scanner(detectors_at_rest())
    size = Path(path).stat().st_size
    if processes == 1:
        hits = sum(1 for _ in scanner.stream(_Part(path, 0, size).chunks(0)))
    else:
        parts = (_Part(path, start, min(_PART, size - start)) for start in range(0, size, _PART))
        with ProcessPoolExecutor(processes, get_context("fork")) as pool:
            hits = sum(1 for _ in scan_parts(pool, scanner, parts, 2 * processes))
    sys.stdout.write(f"{hits}\n")


if __name__ == "__main__":
    main()
